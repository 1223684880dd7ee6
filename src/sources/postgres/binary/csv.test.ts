/** CSV made of COPY BINARY is PostgreSQL's own CSV, to the byte. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, MACHINE } from '../../../../test/contracts/row-text.ts'
import { field, part } from '../../../../test/contracts/sample-part.ts'
import { createDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { bothWays, columnsOf } from '../../../../test/postgres-both-ways.ts'
import { VALUE_TABLES } from '../../../../test/postgres-values.ts'
import type { RowChunk } from '../../../job/row-text.ts'
import type { Output } from '../../../job/spec.ts'
import { CopyOut } from '../copy-out.ts'
import { createPostgresSource } from '../postgres.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase(VALUE_TABLES)
})

afterAll(() => database.drop())

/** COPY's own file, over the connection of a person. */
async function copied(table: string, options = ''): Promise<string> {
  const client = await database.connect()
  await client.query(`set timezone = 'UTC'; set datestyle = 'ISO'; set bytea_output = 'hex'`)
  const copy = client.query(new CopyOut(`copy (select * from ${table} order by id) to stdout (format csv${options})`))
  return (await collect(bytesOf(copy.chunks('written')))).toString()
}

async function* bytesOf(chunks: AsyncIterable<RowChunk>): AsyncIterable<Uint8Array> {
  for await (const { bytes } of chunks) yield bytes
}

interface Read {
  readonly text: string
  readonly rows: number
  readonly forms: readonly string[]
}

async function read(table: string, more: Partial<Output> = {}, columns?: readonly string[]): Promise<Read> {
  const source = createPostgresSource({ url: database.url, parallel: 1, csv: 'binary' })
  const shown = (await columnsOf(database.url, table)).filter(({ name }) => columns?.includes(name) ?? true)
  const asked = part(table, [field('id', { hidden: true, type: 'integer' }), ...shown])
  const snapshot = await source.open({ parts: [asked], layout: 'flat' }, new AbortController().signal)
  const seen = { text: '', rows: 0, forms: new Set<string>() }
  for await (const { form, bytes, rows } of snapshot.rows(0, { format: 'csv', output: { ...MACHINE, ...more } })) {
    seen.text += Buffer.from(bytes).toString()
    seen.rows += rows
    seen.forms.add(form)
  }
  await snapshot.close()
  await source.close()
  return { ...seen, forms: [...seen.forms] }
}

describe('CSV of COPY BINARY', () => {
  it.each([
    ['edges', 20],
    ['kinds', 3],
    ['casts', 4],
    ['odd', 9],
    ['many', 10_000],
    ['wide', 12],
    ['huge', 30],
    ['zeros', 20_000],
  ])("of %s is PostgreSQL's own to the byte", async (table, rows) => {
    const { text, ...counted } = await read(table)
    expect(text === (await copied(table))).toBe(true)
    expect(counted).toEqual({ rows, forms: ['written'] })
  })

  it('has other delimiters where no plain value holds them', async () => {
    for (const delimiter of [';', '|', '\t']) {
      const options = `, delimiter '${delimiter}'`
      expect(await read('edges', { delimiter })).toEqual({ text: await copied('edges', options), rows: 20, forms: ['written'] })
    }
  })

  it('of no rows is nothing', async () => {
    expect(await read('none')).toEqual({ text: '', rows: 0, forms: [] })
  })

  it.each(['edges', 'many', 'kinds'])('has the times of %s in RFC 3339 as the format writes them', async (table) => {
    const hidden = field('id', { hidden: true, key: true, type: 'integer' })
    const asked = part(table, [hidden, ...(await columnsOf(database.url, table))])
    const [ours, theirs] = await bothWays(database.url, asked, { format: 'csv', output: { ...MACHINE, times: 'rfc3339' } })
    expect(ours).toEqual({ ...theirs, forms: table === 'kinds' ? ['written'] : ['written', 'json'] })
  })

  it('is left to COPY text for other types, forms and a single column', async () => {
    expect((await read('addresses')).forms).toEqual(['copy'])
    for (const more of [{ quoting: 'all' }, { delimiter: '-' }, { nullText: 'NULL' }, { formulaGuard: true }] as const) {
      expect((await read('edges', more)).forms).toEqual(['copy'])
    }
    expect((await read('edges', { times: 'rfc3339', timeZone: 'Europe/Paris' })).forms).toEqual(['copy'])
    expect((await read('edges', {}, ['t'])).forms).toEqual(['copy'])
  })
})
