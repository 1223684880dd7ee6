/** The preview of an estimate is the beginning of the file, byte for byte. */
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import Sqlite from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/cli/demo/random.ts'
import { type Body, create, ended, makeKey, makeSite, type Server, type Site, startServer } from '../rig.ts'
import { storedBytes } from '../stored-files.ts'

const SHOWN = 20
const ROWS = 60

let site: Site
let server: Server
let key: string

/** What a cell may be at its worst. */
const TEXTS = [
  'plain',
  '',
  null,
  'a,b;c\td',
  'say "hi"',
  'two\nlines',
  'crlf\r\n',
  '=1+1',
  '-5',
  '@x',
  'é 🎉 שלום',
  ' spaced ',
  '\u2028',
  '\\N',
  'NULL',
]

beforeAll(async () => {
  site = await makeSite(`{
    source: 'sqlite:team.db',
    resources: {
      customers: { tenant: 'tenant_id', dryDataOmits: ['internal'] },
      orders: { tenant: 'tenant_id', hide: ['tenant_id'] },
      line_items: { tenant: 'tenant_id', hide: ['tenant_id'] },
    },
  }`)
  const db = new Sqlite(join(site.folder, 'team.db'))
  db.exec(`create table customers (id integer primary key, tenant_id text, email text, internal text, created_at timestamp);
    create table orders (id integer primary key, tenant_id text, customer_id integer references customers, note text, amount decimal(10,2),
      big bigint, ratio real, is_paid boolean, data json, raw blob, day date, created_at timestamp, loose);
    create table line_items (id integer primary key, tenant_id text, order_id integer references orders, name text, quantity integer)`)
  const random = createRandom('preview')
  const text = (): string | null => random.pick(TEXTS)
  const at = (): string => `2026-0${random.between(1, 9)}-11 0${random.between(0, 9)}:30:00.${random.digits(6)}`
  const customer = db.prepare('insert into customers values (?, ?, ?, ?, ?)')
  for (let id = 1; id <= 10; id += 1) customer.run(id, id % 3 === 0 ? 'globex' : 'acme', text(), text(), at())
  const order = db.prepare('insert into orders values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const item = db.prepare('insert into line_items values (?, ?, ?, ?, ?)')
  for (let id = 1; id <= ROWS * 1.5; id += 1) {
    const tenant = id % 3 === 0 ? 'globex' : 'acme'
    const amount = random.between(-10_000, 10_000) / 100
    const data = random.pick([null, '{"a": [1, null], "é": "x"}', '12345678901234567890', '[]', 'not json'])
    const raw = random.pick([null, Buffer.from([0, 255, 10, 34])])
    const loose = random.pick([null, 1.5, 'text', Buffer.from('blob'), 7n])
    const ratio = random.pick([0.1, -0, 1e300, 5e-324, null])
    const paid = random.pick([0, 1, null])
    order.run(
      id,
      tenant,
      random.pick([random.between(1, 10), null]),
      text(),
      amount,
      random.int64(),
      ratio,
      paid,
      data,
      raw,
      at().slice(0, 10),
      at(),
      loose,
    )
    for (let count = random.between(0, 3); count > 0; count -= 1)
      item.run(id * 10 + count, tenant, id, text(), random.between(0, 5))
  }
  db.close()
  key = await makeKey(site, 'acme')
  server = await startServer(site)
})

afterAll(() => site.remove())

async function previewOf(body: Record<string, unknown>): Promise<{ bytes: Buffer; rows: number }> {
  const answer = await server.call(key, 'POST', '/exports/estimate', body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  expect(answer.body.rows).toBe(ROWS)
  return { bytes: Buffer.from(answer.body.preview.text), rows: answer.body.preview.rows }
}

/** The file of each part. */
async function filesOf(body: Record<string, unknown>): Promise<Buffer[]> {
  const job = await ended(server, key, await create(server, key, body))
  expect(job.status, JSON.stringify(job.error)).toBe('completed')
  const names: string[] = job.manifest.files.map(({ name }: Body) => `${job.id}/${job.attempt}/${name}`)
  return Promise.all(names.map((name) => storedBytes(site, name)))
}

/** How many rows an independent reader finds. */
function rowsIn(format: string, bytes: Buffer, delimiter = ','): number {
  if (format === 'json') return JSON.parse(bytes.toString()).length
  if (format === 'ndjson') return bytes.toString().trimEnd().split('\n').length
  return parse(bytes, { bom: true, columns: true, delimiter }).length
}

const RELATED = { includes: ['customer', 'line_items'] }
const CASES: readonly [string, Record<string, unknown>][] = [
  ['csv', { format: 'csv' }],
  ['csv with dry data', { format: 'csv', dry_data: true }],
  ['csv with relations', { format: 'csv', ...RELATED }],
  ['csv with relations and dry data', { format: 'csv', ...RELATED, dry_data: true }],
  ['csv for excel', { format: 'csv', options: { profile: 'excel' } }],
  ['csv for excel with dry data', { format: 'csv', options: { profile: 'excel' }, dry_data: true }],
  ['csv for excel with relations', { format: 'csv', options: { profile: 'excel', delimiter: ';' }, ...RELATED }],
  ['csv for excel with relations and dry data', { format: 'csv', options: { profile: 'excel' }, ...RELATED, dry_data: true }],
  [
    'csv with every option',
    {
      format: 'csv',
      options: { delimiter: ';', quoting: 'all', null_text: 'nil', bom: true, line_end: 'crlf', times: 'rfc3339' },
    },
  ],
  ['json', { format: 'json' }],
  ['json with dry data', { format: 'json', dry_data: true }],
  ['json with relations', { format: 'json', ...RELATED }],
  ['json with relations and dry data', { format: 'json', ...RELATED, dry_data: true }],
  ['ndjson', { format: 'ndjson' }],
  ['ndjson with dry data', { format: 'ndjson', dry_data: true }],
  ['ndjson with relations', { format: 'ndjson', ...RELATED }],
  ['ndjson with relations and dry data', { format: 'ndjson', ...RELATED, dry_data: true }],
  ["ndjson in the database's times", { format: 'ndjson', options: { times: 'database' } }],
  ['a sort and a filter', { format: 'csv', sort: ['-customer.email', 'amount'], filters: { id_gt: 0 } }],
]

describe('the preview', () => {
  it.each(CASES)('is the beginning of the file: %s', async (_what, asked) => {
    const { bytes, rows } = await previewOf({ resource: 'orders', ...asked })
    const { format, options } = asked as { format: string; options?: { delimiter?: string } }
    expect(rows).toBe(SHOWN)
    expect(rowsIn(format, bytes, options?.delimiter)).toBe(SHOWN)

    const { includes = [], sort = [], filters = {}, ...output } = asked
    const part = { resource: 'orders', includes, sort, filters }
    const [file = Buffer.alloc(0), short] = await filesOf({ ...output, parts: [part, { ...part, limit: SHOWN }] })
    expect(rowsIn(format, file, options?.delimiter)).toBe(ROWS)
    // An array of 20 rows is closed where the file goes on.
    const beginning = format === 'json' ? bytes.subarray(0, bytes.lastIndexOf('\n]')) : bytes
    expect(file.subarray(0, beginning.length).toString('latin1')).toBe(beginning.toString('latin1'))
    // A whole row and not its first half.
    const next = file.subarray(beginning.length, beginning.length + 1).toString()
    if (format === 'json') expect(next).toBe(',')
    else expect(beginning.at(-1)).toBe(0x0a)
    // And as it stands, the file of an export of so many rows.
    expect(short?.equals(bytes)).toBe(true)
  })

  it('is that of the file inside the compression', async () => {
    const body = { resource: 'orders', format: 'csv', compression: 'gzip' }
    const { bytes } = await previewOf(body)
    const [file = Buffer.alloc(0)] = await filesOf(body)
    expect(gunzipSync(file).subarray(0, bytes.length).equals(bytes)).toBe(true)
  })
})
