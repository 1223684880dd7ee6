/** Rows that do not fit into memory as many at a time as usual: all of them arrive, in order, or one is named. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { part } from '../../../test/contracts/sample-part.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Source } from '../source.ts'
import { createDuckDbSource } from './duckdb.ts'
import type { DuckDbSourceOptions } from './place.ts'

type Kind = DuckDbSourceOptions['kind']

/** 64 MB, with signs that are written otherwise in JSON and in CSV. */
const CELL = `"cell", \n${'some words, '.repeat(5_333_333)}`
const ROWS = 3_000
/** The row that has it: not among the first that DuckDB reads at once. */
const LARGE_ID = 2_990

const never = new AbortController().signal

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freight-large-'))
  const instance = await DuckDBInstance.create(join(folder, 'rows.duckdb'))
  const connection = await instance.connect()
  const text = `case when i = ${LARGE_ID} then e'"cell", \\n' || repeat('some words, ', 5333333) else 'short ' || i end`
  await connection.run(`create table rows (id integer primary key, t varchar);
    insert into rows select i, ${text} from range(${ROWS}, 0, -1) r(i);
    copy (select i as id, ${text} as t from range(1, ${ROWS + 1}) r(i)) to '${join(folder, 'rows.csv')}';
    copy (select 1 as id, 'x' as s, 'y' as t union all select 2, 'x', repeat('y', 240000000)) to '${join(folder, 'giant.parquet')}'`)
  connection.closeSync()
  instance.closeSync()
})
afterAll(() => {
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  rmSync(folder, { recursive: true })
})

async function opened<Value>(kind: Kind, table: string, use: (source: Source) => Promise<Value>): Promise<Value> {
  const path = join(folder, `${table}.${kind}`)
  const source = createDuckDbSource({ kind, path, folders: [], consistency: 'locking', tempDir: join(folder, 'tmp') })
  try {
    return await use(source)
  } finally {
    await source.close()
  }
}

/** Reads all rows, each of which is `[id, text]`; those that are not the next are told, by their place. */
async function strangers(source: Source, asked: CheckedPart): Promise<{ rows: number; wrong: number[] }> {
  const snapshot = await source.open({ parts: [asked], layout: 'flat' }, never)
  const wrong: number[] = []
  let rows = 0
  try {
    for await (const { bytes } of snapshot.rows(0)) {
      for (const line of Buffer.from(bytes).toString().split('\n').slice(0, -1)) {
        rows += 1
        const [id, text] = JSON.parse(line)
        if (Number(id) !== rows || text !== (rows === LARGE_ID ? CELL : `short ${rows}`)) wrong.push(rows)
      }
    }
    return { rows, wrong }
  } finally {
    await snapshot.close()
  }
}

it.each(['duckdb', 'csv'] as const)('a cell of 64 MB arrives, and each row around it once and in order: %s', async (kind) => {
  const asked = part('rows', ['id', 't'], { primaryKey: kind === 'duckdb' ? ['id'] : [], limit: ROWS - 1 })
  expect(await opened(kind, 'rows', (source) => strangers(source, asked))).toEqual({ rows: ROWS - 1, wrong: [] })
})

it('a row that fits into no memory is named, with its largest field', async () => {
  const reading = opened('parquet', 'giant', (source) => strangers(source, part('giant', ['id', 's', 't'], { primaryKey: [] })))
  await expect(reading).rejects.toMatchObject({
    code: 'ROW_TOO_LARGE',
    message: expect.stringMatching(/^Row 2 of "giant" takes .*; its largest field is "t", of 240 MB\./),
  })
})
