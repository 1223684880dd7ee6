/** `freight export` in child processes, on a real database. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { ended, freight, startFreight } from '../../test/command-line.ts'

let folder = ''

/** Enough rows that an export of all pairs of them can be interrupted. */
const ROWS = 3_000

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-export-'))
  const database = new Database(join(folder, 'shop.db'))
  database.pragma('journal_mode = WAL')
  database.exec(`
    create table orders (id integer primary key, status text, note text, total integer, created_at text);
    with recursive n (value) as (select 1 union all select value + 1 from n where value < ${ROWS})
      insert into orders select value, iif(value % 3, 'paid', 'open'), iif(value % 2, null, ''), 9007199254740993, '2026-01-01 00:00:00.123456' from n;
    create view pairs as select a.id as a, b.id as b, a.status, b.created_at from orders a, orders b`)
  database.close()
})

afterAll(() => rmSync(folder, { recursive: true }))

function run(...args: string[]) {
  return freight(['export', '--source', 'sqlite:shop.db', ...args], { cwd: folder })
}

/** Every file in the folder that an export could have left, finished or not. */
function leftovers(): string[] {
  return readdirSync(folder).filter((name) => !/^shop\.db|\.sh$/.test(name))
}

function clean(): void {
  for (const name of leftovers()) rmSync(join(folder, name), { recursive: true })
}

test('an export without --output writes resource.format here and tells rows, bytes and the hash on standard error', async () => {
  const { code, stdout, stderr } = await run('--resource', 'orders')
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  const bytes = readFileSync(join(folder, 'orders.csv'))
  expect(parse(bytes, { columns: true })).toHaveLength(ROWS)
  const sha256 = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  expect(stderr).toMatch(new RegExp(`^orders\\.csv: 3,000 rows, [\\d.]+ kB in [\\d.]+ s, sha256 ${sha256}…\\n$`))
  clean()
})

test('an existing file is kept unless --force says otherwise', async () => {
  writeFileSync(join(folder, 'mine.csv'), 'mine')
  const refused = await run('--resource', 'orders', '--output', 'mine.csv')
  expect(refused).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: "mine.csv" exists already; --force replaces it, --output names another file.\n',
  })
  expect(readFileSync(join(folder, 'mine.csv'), 'utf8')).toBe('mine')
  expect(await run('--resource', 'orders', '--output', 'mine.csv', '--force')).toMatchObject({ code: 0 })
  expect(parse(readFileSync(join(folder, 'mine.csv')))).toHaveLength(ROWS + 1)
  clean()
})

test('a folder is no output, and a file in a folder that is not there neither', async () => {
  expect(await run('--resource', 'orders', '--output', 'nowhere/orders.csv')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: There is no folder "[^"]*nowhere"; [^\n]*\n$/),
  })
  mkdirSync(join(folder, 'out'))
  expect(await run('--resource', 'orders', '--output', 'out', '--force')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is a folder'),
  })
  clean()
})

test('with --output - standard output holds the data and nothing else', async () => {
  const { code, stdout } = await run(
    '--resource',
    'orders',
    '--output',
    '-',
    '--limit',
    '2',
    '--fields',
    'id,total',
    '--format',
    'ndjson',
  )
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"id":1,"total":9007199254740993}\n{"id":2,"total":9007199254740993}\n' })
  expect(leftovers()).toEqual([])
})

test('conditions, sort and CSV options reach the file', async () => {
  const flags = [
    '--where',
    'status_eq=open',
    '--where',
    'id_lt=10',
    '--sort',
    '-id',
    '--delimiter',
    'tab',
    '--no-header',
    '--null-text',
    'NULL',
  ]
  const { stdout } = await run('--resource', 'orders', '--output', '-', '--fields', 'id,note', ...flags)
  expect(stdout).toBe('9\tNULL\n6\t""\n3\tNULL\n')
})

test('the receipt of an export is right by freight verify, also of a compressed one', async () => {
  const flags = ['--resource', 'orders', '--compress', 'gzip', '--output', 'mine.csv.gz', '--manifest', 'mine.json']
  expect(await run(...flags)).toMatchObject({ code: 0 })
  const verified = await freight(['verify', 'mine.json'], { cwd: folder })
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('mine.csv.gz: OK, 3,000 rows') })
  clean()
})

it.each([
  { what: 'a resource that is not there', args: ['--resource', 'ordres'], says: 'RESOURCE_UNKNOWN' },
  { what: 'a filter that is not there', args: ['--resource', 'orders', '--where', 'status_is=paid'], says: 'FILTER_UNKNOWN' },
  {
    what: 'a CSV option of a JSON export',
    args: ['--resource', 'orders', '--format', 'json', '--no-header'],
    says: 'OPTION_INVALID',
  },
])('$what is wrong usage, told in one line, and leaves nothing', async ({ args, says }) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(new RegExp(`^error: [^\\n]+\\(${says}\\)\\n$`))
  expect(leftovers()).toEqual([])
})

test('a database that is not there fails with one line and is not made', async () => {
  const { code, stderr } = await freight(['export', '--source', 'sqlite:gone.db', '--resource', 'orders'], { cwd: folder })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^error: [^\n]+ \(SOURCE_UNAVAILABLE\)\n$/)
  expect(existsSync(join(folder, 'gone.db'))).toBe(false)
})

/** The command in a shell, where its output can be redirected. */
function shell(rest: string) {
  const bin = fileURLToPath(new URL('../../bin/freight.js', import.meta.url))
  return ended(spawn('bash', ['-c', `"${process.execPath}" "${bin}" export --source sqlite:shop.db ${rest}`], { cwd: folder }))
}

test('a reader that goes away ends the export quietly, without success', async () => {
  const { code, stdout, stderr } = await shell('--resource pairs --limit 100000 --output - | head -n 1; exit $PIPESTATUS')
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: 'a,b,status,created_at\n', stderr: '' })
})

test.runIf(existsSync('/dev/full'))('no space left is told in one line, for a device as for standard output', async () => {
  for (const rest of ['--resource orders --output /dev/full', '--resource orders --output - > /dev/full']) {
    const { code, stderr } = await shell(rest)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: [^\n]*no space (is )?left[^\n]* \(STORAGE_FULL\)\n$/i)
  }
  expect(statSync('/dev/full').isCharacterDevice()).toBe(true)
})

test('Ctrl-C ends an export with 130 and leaves no file', async () => {
  const child = startFreight(['export', '--source', 'sqlite:shop.db', '--resource', 'pairs', '--progress', 'json'], {
    cwd: folder,
  })
  const all = ended(child)
  if (child.stderr) await once(child.stderr, 'data')
  child.kill('SIGINT')
  const { code, stdout, stderr } = await all
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
  const [first = '', ...rest] = stderr.trimEnd().split('\n')
  expect(JSON.parse(first)).toMatchObject({ status: 'in_progress', processed: expect.any(Number) })
  expect(rest.at(-1)).toBe('Interrupted; no file was written.')
  expect(leftovers()).toEqual([])
})

test('with --progress json the last line is the result, with the files as they are called', async () => {
  const { code, stderr } = await run('--resource', 'orders', '--progress', 'json', '--output', 'mine.csv')
  expect(code).toBe(0)
  const last = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')
  expect(last).toMatchObject({ status: 'completed', rows: ROWS, results: { successful: ROWS, warnings: 0, errors: 0 } })
  expect(last.files).toMatchObject([{ name: 'mine.csv', rows: ROWS }])
  clean()
})

test('the first changed cells are told, how many more there are, and where to read of them', async () => {
  const wide = ['--resource', 'orders', '--fields', 'total', '--format', 'xlsx', '--limit', '1005']
  const { stderr } = await run(...wide)
  expect(stderr.split('\n').slice(3)).toEqual([
    '  row 3, total: a number that the format cannot hold was written as text',
    '  and 1,002 more; --manifest FILE writes how many cells of each column were changed, and why',
    '',
  ])
  const { stderr: written } = await run(...wide, '--force', '--manifest', 'receipt.json')
  expect(written.split('\n').slice(4)).toEqual(['  and 1,002 more', ''])
  clean()
})

test('--source works beside a broken config', async () => {
  writeFileSync(join(folder, 'freight.config.ts'), 'export default {')
  expect(await run('--resource', 'orders', '--output', '-', '--limit', '1')).toMatchObject({ code: 0 })
  clean()
})

test('without --source the config says what may be exported', async () => {
  writeFileSync(
    join(folder, 'freight.config.ts'),
    "export default { source: 'sqlite:shop.db', resources: { sales: { table: 'orders', tenant: 'shared' } } }",
  )
  const sales = await freight(['export', '--resource', 'sales', '--output', '-', '--fields', 'id', '--limit', '1'], {
    cwd: folder,
  })
  expect(sales).toMatchObject({ code: 0, stdout: 'id\n1\n' })
  const orders = await freight(['export', '--resource', 'orders', '--output', '-'], { cwd: folder })
  expect(orders).toMatchObject({ code: 2, stdout: '' })
  clean()
})

test('a split export writes numbered files of so many rows, each with its header, and a receipt of all', async () => {
  const { code, stderr } = await run(
    '--resource',
    'orders',
    '--split-rows',
    '1250',
    '--compress',
    'gzip',
    '--manifest',
    'receipt.json',
  )
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(
      /^3 files, orders-00001\.csv\.gz to orders-00003\.csv\.gz: 3,000 rows, [\d.]+ kB in [\d.]+ s\n$/,
    ),
  })
  const names = ['orders-00001.csv.gz', 'orders-00002.csv.gz', 'orders-00003.csv.gz']
  expect(leftovers().sort()).toEqual([...names, 'receipt.json'])
  const rows = names.map((name) => parse(gunzipSync(readFileSync(join(folder, name))), { columns: true }) as { id: string }[])
  expect(rows.map((some) => some.length)).toEqual([1_250, 1_250, 500])
  expect(rows.flat().map(({ id }) => Number(id))).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1))
  const verified = await freight(['verify', 'receipt.json'], { cwd: folder })
  expect({ code: verified.code, lines: verified.stdout.match(/OK, /g) }).toEqual({ code: 0, lines: ['OK, ', 'OK, ', 'OK, '] })
  clean()
})

test('a split export goes into a folder, keeps the files that are there, and replaces all of them with --force', async () => {
  mkdirSync(join(folder, 'out'))
  expect(await run('--resource', 'orders', '--split-rows', '1000', '--output', 'out')).toMatchObject({ code: 0 })
  expect(readdirSync(join(folder, 'out'))).toHaveLength(3)
  expect(await run('--resource', 'orders', '--split-rows', '3000', '--output', 'out')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"orders-00001.csv" exists already'),
  })
  expect(await run('--resource', 'orders', '--split-bytes', '100000000', '--output', 'out', '--force')).toMatchObject({ code: 0 })
  expect(readdirSync(join(folder, 'out'))).toEqual(['orders-00001.csv'])
  clean()
})

test('several files go nowhere but to files, and are asked for in one way', async () => {
  expect(await run('--resource', 'orders', '--split-rows', '10', '--output', '-')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('cannot go to standard output'),
  })
  expect(await run('--resource', 'orders', '--split-rows', '10', '--split-bytes', '5000')).toMatchObject({ code: 2 })
  expect(await run('--resource', 'orders', '--split-bytes', '10')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('1024'),
  })
  expect(leftovers()).toEqual([])
})

test('a split export that is interrupted leaves none of its files', async () => {
  const child = startFreight(['export', '--source', 'sqlite:shop.db', '--resource', 'pairs', '--split-rows', '20000'], {
    cwd: folder,
  })
  await expect.poll(() => leftovers().some((name) => name.startsWith('pairs-')), { timeout: 20_000 }).toBe(true)
  child.kill('SIGINT')
  expect(await ended(child)).toMatchObject({ code: 130 })
  expect(leftovers()).toEqual([])
})

test("what a team's own code throws ends the export in order: its words, no file, none of Node's", async () => {
  const index = join(import.meta.dirname, '..', 'index.ts')
  const module = (rows: string): string => `import { defineResource } from ${JSON.stringify(index)}
    export default [defineResource({ name: 'things', fields: { id: 'integer' }, async *rows() { yield { id: 1 }; ${rows}; yield { id: 2 } } })]`
  const config = { source: 'code:./things.ts', resources: { things: { tenant: 'shared' } } }
  writeFileSync(join(folder, 'code.config.ts'), `export default ${JSON.stringify(config)}`)
  const exported = async (source: string) => {
    writeFileSync(join(folder, 'things.ts'), source)
    return await freight(['export', '--config', 'code.config.ts', '--resource', 'things'], { cwd: folder })
  }
  const stray = await exported(module(`void Promise.reject(new Error('the ledger is shut')); await new Promise(() => {})`))
  expect(stray).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: the ledger is shut \(unexpected; .*\)\n$/) })
  const thrown = await exported(module(`throw new Error('the ledger is shut')`))
  expect(thrown).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*; the reason: the ledger is shut\. \(\w+\)\n$/),
  })
  const unloaded = await exported(`import 'no-such-package'`)
  expect(unloaded).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*no-such-package.*\n$/) })
  expect(leftovers()).toEqual(['code.config.ts', 'things.ts'])
  clean()
})
