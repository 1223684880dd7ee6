import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { freight } from '../../test/command-line.ts'
import { checkFile } from './check-file.ts'
import { createRowCounter } from './count-rows.ts'
import { type Receipt, readReceipt } from './receipt.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-verify-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

const CSV = 'id,note\n1,"two\nlines, and a ""quote"""\n2,\n3,""\n'

interface Written {
  readonly name: string
  readonly bytes: Buffer
  readonly rows: number
  readonly format: string
  readonly compression?: string
  readonly header?: boolean
}

/** The file and its manifest, side by side; resolves with the manifest's path. */
function write({ name, bytes, rows, format, compression, header = true }: Written): string {
  writeFileSync(join(folder, name), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const manifest = {
    version: 1,
    format,
    compression: compression ?? null,
    output: { header },
    snapshot_at: null,
    files: [{ name, resource: 'orders', rows, bytes: bytes.length, sha256 }],
  }
  const path = join(folder, `${name}.manifest.json`)
  writeFileSync(path, JSON.stringify(manifest))
  return path
}

function receiptOf(path: string): Receipt {
  return readReceipt(readFileSync(path, 'utf8'))
}

const verify = (...args: string[]) => freight(['verify', ...args], { cwd: folder })

it.each<Written>([
  { name: 'plain.csv', bytes: Buffer.from(CSV), rows: 3, format: 'csv' },
  { name: 'no-header.csv', bytes: Buffer.from(CSV), rows: 4, format: 'csv', header: false },
  { name: 'excel.csv', bytes: Buffer.from(`\ufeff${CSV.replaceAll('\n', '\r\n')}`), rows: 3, format: 'csv' },
  { name: 'only-header.csv', bytes: Buffer.from('id,note\n'), rows: 0, format: 'csv' },
  { name: 'empty.csv', bytes: Buffer.from('\ufeff'), rows: 0, format: 'csv', header: false },
  { name: 'packed.csv.gz', bytes: gzipSync(CSV), rows: 3, format: 'csv', compression: 'gzip' },
  { name: 'packed.csv.zst', bytes: zstdCompressSync(CSV), rows: 3, format: 'csv', compression: 'zstd' },
  { name: 'rows.ndjson', bytes: Buffer.from('{"a":"{["}\n{"a":1}'), rows: 2, format: 'ndjson' },
  { name: 'rows.json', bytes: Buffer.from('[\n{"a":"]} \\" {","b":[{"c":{}}]},\n{}\n]\n'), rows: 2, format: 'json' },
  { name: 'none.json', bytes: Buffer.from('[]\n'), rows: 0, format: 'json' },
])('$name is right by its manifest', async (written) => {
  const receipt = receiptOf(write(written))
  const [expected] = receipt.files
  expect(expected && (await checkFile(join(folder, written.name), expected, receipt))).toEqual([])
})

test('a file that is right is said to be, with exit code 0', async () => {
  const path = write({ name: 'right.csv', bytes: Buffer.from(CSV), rows: 3, format: 'csv' })
  expect(await verify(path)).toEqual({
    code: 0,
    stdout: `${join(folder, 'right.csv')}: OK, 3 rows, ${CSV.length} bytes\n`,
    stderr: '',
  })
})

test('one changed byte is found', async () => {
  const path = write({ name: 'changed.csv', bytes: Buffer.from(CSV), rows: 3, format: 'csv' })
  writeFileSync(join(folder, 'changed.csv'), CSV.replace('quote', 'quota'))
  const { code, stdout } = await verify(path)
  expect(code).toBe(1)
  expect(stdout).toBe(`${join(folder, 'changed.csv')}: FAILED: the SHA-256 is another\n`)
})

test('a file that was cut is found, by bytes and by rows', async () => {
  const path = write({ name: 'cut.csv', bytes: Buffer.from(CSV), rows: 3, format: 'csv' })
  writeFileSync(join(folder, 'cut.csv'), CSV.slice(0, 42))
  const { code, stdout } = await verify(path)
  expect(code).toBe(1)
  expect(stdout).toContain(`42 bytes instead of ${CSV.length}; 2 rows instead of 3`)
})

test('a compressed file that was cut is found', async () => {
  const path = write({ name: 'cut.csv.gz', bytes: gzipSync(CSV), rows: 3, format: 'csv', compression: 'gzip' })
  writeFileSync(join(folder, 'cut.csv.gz'), gzipSync(CSV).subarray(0, 30))
  const { code, stdout } = await verify(path)
  expect(code).toBe(1)
  expect(stdout).toContain('cannot be read to its end')
})

test('a manifest that claims other rows than the file has is found, though the bytes are right', async () => {
  const path = write({ name: 'claims.csv', bytes: Buffer.from(CSV), rows: 5, format: 'csv' })
  const { code, stdout } = await verify(path)
  expect(code).toBe(1)
  expect(stdout).toContain('FAILED: 3 rows instead of 5')
})

test('a file that is not there is found', async () => {
  const path = write({ name: 'gone.csv', bytes: Buffer.from(CSV), rows: 3, format: 'csv' })
  rmSync(join(folder, 'gone.csv'))
  expect(await verify(path)).toMatchObject({ code: 1, stdout: expect.stringContaining('FAILED: there is no such file') })
})

test('a file saved under another name is checked when it is named', async () => {
  const path = write({ name: 'saved.csv', bytes: Buffer.from(CSV), rows: 3, format: 'csv' })
  writeFileSync(join(folder, 'mine.csv'), CSV)
  expect(await verify(path, join(folder, 'mine.csv'))).toMatchObject({ code: 0, stdout: expect.stringContaining('mine.csv: OK') })
  expect(await verify(path, join(folder, 'mine.csv'), join(folder, 'more.csv'))).toMatchObject({ code: 2, stdout: '' })
})

test("the API's whole answer serves as a manifest, also from standard input", async () => {
  const bytes = Buffer.from(CSV)
  writeFileSync(join(folder, 'answer.csv'), bytes)
  const file = {
    name: 'answer.csv',
    resource: 'orders',
    rows: 3,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
  const answer = {
    id: '1',
    status: 'completed',
    manifest: { format: 'csv', compression: null, output: { header: true }, files: [file] },
  }
  expect(await freight(['verify', '-'], { cwd: folder, input: JSON.stringify(answer) })).toMatchObject({ code: 0 })
  const pending = JSON.stringify({ id: '1', status: 'pending', manifest: null })
  expect(await freight(['verify', '-'], { cwd: folder, input: pending })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no manifest yet (it is pending)'),
  })
})

it.each([
  { what: 'no JSON', text: 'id,note\n', says: 'This is no manifest' },
  { what: 'a list', text: '[]', says: 'not a JSON object' },
  { what: 'no files', text: '{"format":"csv"}', says: 'no list "files"' },
  { what: 'a format of another day', text: '{"format":"arrow","files":[]}', says: 'format is "arrow"' },
  { what: 'a file without its hash', text: '{"format":"csv","files":[{"name":"a","rows":1,"bytes":1}]}', says: 'files[0] needs' },
])('a manifest with $what is refused', ({ text, says }) => {
  expect(() => readReceipt(text)).toThrow(says)
})

test('what is no manifest is refused in one line, with exit code 1', async () => {
  const { code, stdout, stderr } = await freight(['verify', '-'], { cwd: folder, input: 'id,note\n1,a\n' })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^error: This is no manifest: [^\n]+\n$/)
})

test('rows are counted alike however the bytes are cut into chunks', () => {
  const cases = [
    { format: 'csv', text: `\ufeff${CSV}`, rows: 3 },
    { format: 'json', text: '[{"a":"\\\\\\"{"},{"b":[{}]}]', rows: 2 },
    { format: 'ndjson', text: '{"a":1}\n{}\n', rows: 2 },
  ] as const
  for (const { format, text, rows } of cases) {
    for (const size of [1, 2, 3, 7, 1000]) {
      const counter = createRowCounter(format, true)
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; at += size) counter.add(bytes.subarray(at, at + size))
      expect([format, size, counter.end()]).toEqual([format, size, rows])
    }
  }
})

test('the rows of a Parquet file are counted by its footer', async () => {
  const path = join(folder, 'counted.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const columns = Array.from({ length: 20 }, (_, n) => `[i, ${n}] as c${n}`)
  await connection.run(
    `copy (select ${columns.join(', ')}, 1.5::decimal(20,2) d, now() t from range(300000) r(i)) to '${path}' (format parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
  const counter = createRowCounter('parquet', false)
  for await (const chunk of createReadStream(path)) counter.add(chunk as Buffer)
  expect(counter.end()).toBe(300_000)
  for (const broken of ['', 'PAR1', 'no parquet at all, but long enough']) {
    const other = createRowCounter('parquet', false)
    other.add(Buffer.from(broken))
    expect(other.end()).toBe(-1)
  }
})
