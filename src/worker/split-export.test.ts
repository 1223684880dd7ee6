/** Split exports from a real database to real files, read back by readers that are not ours. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import Sqlite from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newJob } from '../../test/contracts/sample-job.ts'
import { field, part } from '../../test/contracts/sample-part.ts'
import { readByDuckDb } from '../../test/parquet-readers.ts'
import { readWorkbook } from '../../test/xlsx-reader.ts'
import type { CheckedSpec, CompressionName, FormatName, OnRowError, Split } from '../job/spec.ts'
import { createParts, type Parts } from '../parts.ts'
import type { RunOutcome, WrittenFile } from './run.ts'
import { runExport } from './run-export.ts'

const ROWS = 10_007

let folder: string
let parts: Parts
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-split-'))
  const path = join(folder, 'team.db')
  const database = new Sqlite(path)
  database.pragma('journal_mode = wal')
  database.exec(`
    create table orders (id integer primary key, note text);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})
      insert into orders select i, iif(i % 3, 'line one' || char(10) || '"two", ' || i, null) from n;
    create table no_orders (id integer primary key);
    create table unfit (id integer primary key, note integer);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 25)
      insert into unfit select i, iif(i % 4 = 0 or i > 21, 'not a number', i) from n;
    create table broken (id integer primary key, note text);
    insert into broken values (1, 'a'), (2, cast(x'ff' as text)), (3, 'c'), (4, cast(x'ff' as text))`)
  database.close()
  parts = createParts({ sources: { main: { url: `sqlite:${path}`, consistency: 'snapshot', parallel: 1 } }, dataDir: folder })
})
afterAll(async () => {
  await parts.close()
  await rm(folder, { recursive: true })
})

interface Asked {
  readonly table?: string
  readonly split: Split
  readonly format?: FormatName
  readonly compression?: CompressionName
  readonly onRowError?: OnRowError
}

let runs = 0

type Put = Parameters<typeof runExport>[2]['put']

/** Lets a file go by and keeps nothing: ten thousand real ones take their time. */
const drain: Put = async (_name, body) => {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.length
  return bytes
}

async function run(
  { table = 'orders', split, format = 'csv', compression, onRowError = 'fail' }: Asked,
  rig: Partial<Parts> & { put?: Put } = {},
) {
  runs += 1
  const run = runs
  const select = [
    field('id', { type: 'integer', key: true }),
    ...(table === 'no_orders' ? [] : [field('note', { type: table === 'unfit' ? 'integer' : 'text' })]),
  ]
  const spec: CheckedSpec = {
    ...newJob(1).spec,
    parts: [part(table, select, { split })],
    format,
    compression: compression ?? null,
    onRowError,
  }
  const told: WrittenFile[] = []
  const input = {
    exportId: 'test',
    run,
    spec,
    createdAt: new Date('2026-03-01T12:00:00Z'),
    noProgressMs: 60_000,
    maxRunMs: 60_000,
  }
  const outcome: Promise<RunOutcome> = runExport(
    input,
    { ...parts, ...rig },
    {
      put: rig.put ?? ((name, body, signal) => parts.storage.put(`test/${run}/${name}`, body, signal)),
      progress: () => {},
      session: async () => {},
      fileWritten: (file) => told.push(file),
    },
    new AbortController().signal,
  )
  const read = (name: string): Promise<Buffer> => readFile(parts.storage.locate(`test/${run}/${name}`) ?? '')
  const stored = async (): Promise<string[]> => {
    const names: string[] = []
    for await (const { key } of parts.storage.list()) if (key.startsWith(`test/${run}/`)) names.push(key.split('/')[2] ?? '')
    return names.sort()
  }
  return { outcome, told, read, stored }
}

type Cells = readonly (string | number | null)[]

function rowsIn(bytes: Buffer, format: FormatName, compression: CompressionName | undefined): Cells[] {
  const text = (compression === 'gzip' ? gunzipSync(bytes) : compression ? zstdDecompressSync(bytes) : bytes).toString()
  const cells = (row: { id: unknown; note: string | null }): Cells => [Number(row.id), row.note]
  if (format === 'json') return JSON.parse(text).map(cells)
  if (format === 'ndjson')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => cells(JSON.parse(line)))
  const [header, ...records] = parse(text)
  expect(header).toEqual(['id', 'note'])
  return records.map(([id = '', note = '']) => [Number(id), note === '' ? null : note])
}

const expected = Array.from({ length: ROWS }, (_, index): Cells => {
  const id = index + 1
  return [id, id % 3 === 0 ? null : `line one\n"two", ${id}`]
})

describe('a split export', () => {
  it.each([
    ['csv', undefined],
    ['json', undefined],
    ['ndjson', undefined],
    ['csv', 'gzip'],
    ['json', 'zstd'],
    ['ndjson', 'gzip'],
  ] as const)(
    'to %s (%s) has whole files, each with exactly so many rows, that hold every row once and in order',
    async (format, compression) => {
      const { outcome, told, read } = await run({ split: { rows: 1_000 }, format, ...(compression ? { compression } : {}) })
      const { manifest, results, files } = await outcome
      expect(results).toEqual({ successful: ROWS, warnings: 0, errors: 0 })
      expect(manifest.files.map((file) => file.rows)).toEqual([...Array(10).fill(1_000), 7])
      const ending = `${format}${compression ? { gzip: '.gz', zstd: '.zst' }[compression] : ''}`
      expect(manifest.files.map((file) => file.name).slice(0, 2)).toEqual([
        `orders-2026-03-01-00001.${ending}`,
        `orders-2026-03-01-00002.${ending}`,
      ])
      expect(told).toEqual(files)
      const rows: Cells[] = []
      for (const file of manifest.files) {
        const bytes = await read(file.name)
        expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([file.bytes, file.sha256])
        const some = rowsIn(bytes, format, compression)
        expect(some).toHaveLength(file.rows)
        rows.push(...some)
      }
      expect(rows).toEqual(expected)
    },
  )

  it.each(['csv', 'json', 'ndjson'] as const)('by bytes to %s ends its files at rows, next to the size', async (format) => {
    const { outcome, read } = await run({ split: { bytes: 50_000 }, format })
    const { manifest } = await outcome
    const rows: Cells[] = []
    for (const file of manifest.files) rows.push(...rowsIn(await read(file.name), format, undefined))
    expect(rows).toEqual(expected)
    for (const { bytes } of manifest.files.slice(0, -1)) expect(Math.abs(bytes - 50_000)).toBeLessThan(100)
  })

  it('to xlsx has workbooks that open by themselves, each with its header, by rows and by bytes', async () => {
    for (const split of [{ rows: 4_000 }, { bytes: 110_000 }]) {
      const { outcome, read } = await run({ split, format: 'xlsx' })
      const { manifest } = await outcome
      const rows: Cells[] = []
      for (const file of manifest.files) {
        const [header, ...records] = (await readWorkbook(await read(file.name))).sheets[0]?.rows ?? []
        expect(header?.map((cell) => cell?.text)).toEqual(['id', 'note'])
        expect(records).toHaveLength(file.rows)
        for (const [id, note] of records) rows.push([Number(id?.text), note?.text ?? null])
      }
      expect(rows).toEqual(expected)
      expect(manifest.files.length).toBe(3)
    }
  })

  it('to parquet has files that open by themselves, by rows and by bytes', async () => {
    for (const split of [{ rows: 4_000 }, { bytes: 110_000 }]) {
      const { outcome, read } = await run({ split, format: 'parquet' })
      const { manifest } = await outcome
      const rows: Cells[] = []
      for (const file of manifest.files) {
        const { names, rows: records } = await readByDuckDb(await read(file.name))
        expect([names, records.length]).toEqual([['id', 'note'], file.rows])
        for (const [id, note] of records) rows.push([Number(id), note ?? null])
      }
      expect(rows).toEqual(expected)
      expect(manifest.files.length).toBe(3)
    }
  })

  it('leaves rows out that its format cannot hold, counts and lists them, and still has so many rows in each file', async () => {
    const { outcome, read } = await run({ table: 'unfit', split: { rows: 5 }, format: 'parquet', onRowError: 'skip' })
    const { manifest, results, errorsLog, progress } = await outcome
    expect(results).toEqual({ successful: 16, warnings: 0, errors: 9 })
    expect(progress).toMatchObject({ processed: 25, total: 25 })
    const left = [4, 8, 12, 16, 20, 22, 23, 24, 25]
    expect(errorsLog.map(({ row, key, column }) => [row, key, column])).toEqual(left.map((row) => [row, String(row), 'note']))
    expect(JSON.stringify(errorsLog)).not.toContain('not a number')
    expect(manifest.files.map(({ rows }) => rows)).toEqual([5, 5, 5, 1])
    const ids: number[] = []
    for (const file of manifest.files) ids.push(...(await readByDuckDb(await read(file.name))).rows.map(([id]) => Number(id)))
    expect(ids).toEqual(Array.from({ length: 21 }, (_, index) => index + 1).filter((id) => id % 4 !== 0))
  })

  it('ends with the first row that its format cannot hold, which is its errors log, where none is to be left out', async () => {
    const { outcome } = await run({ table: 'unfit', split: { rows: 5 }, format: 'parquet' })
    await expect(outcome).rejects.toMatchObject({
      code: 'CELL_UNFIT',
      details: { entry: { resource: 'unfit', row: 4, key: '4', column: 'note' } },
    })
  })

  it('of no rows is one file, with its header', async () => {
    const { outcome, read } = await run({ table: 'no_orders', split: { rows: 10 } })
    const { manifest } = await outcome
    expect(manifest.files.map(({ rows }) => rows)).toEqual([0])
    expect((await read(manifest.files[0]?.name ?? '')).toString()).toBe('id\n')
  })

  it('numbers changed rows over all its files', async () => {
    const { outcome } = await run({ table: 'broken', split: { rows: 1 } })
    const { errorsLog, results, manifest } = await outcome
    expect(errorsLog.map(({ row, key }) => [row, key])).toEqual([
      [2, '2'],
      [4, '4'],
    ])
    expect(results).toEqual({ successful: 2, warnings: 2, errors: 0 })
    expect(manifest.changes).toEqual([{ resource: 'broken', column: 'note', cause: 'invalid_utf8', cells: 2 }])
  })

  it('never publishes its last file when rows are missing', async () => {
    const source = parts.source('main')
    const lossy: Partial<Parts> = {
      source: () => ({
        ...source,
        open: async (query, signal) => {
          const snapshot = await source.open(query, signal)
          return {
            takenAt: null,
            session: null,
            shape: (index) => snapshot.shape(index),
            count: (index, limit) => snapshot.count(index, limit),
            close: () => snapshot.close(),
            async *rows() {
              for await (const { form, bytes } of snapshot.rows(0)) {
                yield { form, bytes: bytes.subarray(0, bytes.indexOf(10) + 1), rows: 1 }
                return
              }
            },
          }
        },
      }),
    }
    for (const rows of [1, 5]) {
      const { outcome, stored } = await run({ split: { rows } }, lossy)
      await expect(outcome).rejects.toMatchObject({ code: 'ROWS_INCOMPLETE' })
      expect(await stored()).toHaveLength(rows === 1 ? 1 : 0)
    }
  })

  it('that would need more than ten thousand files fails and says what to do', async () => {
    const { outcome } = await run({ split: { rows: 1 } }, { put: drain })
    await expect(outcome).rejects.toMatchObject({ code: 'OPTION_INVALID', message: expect.stringContaining('10000 files') })
  })
})
