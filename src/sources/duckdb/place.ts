/** Where a source of DuckDB's reads: a database, or files that stand for tables. */
import { dirname, sep } from 'node:path'
import { type Engine, startEngine } from '../../duckdb/engine.ts'
import { FreightError } from '../../job/errors.ts'
import { csvArguments } from './csv-dialect.ts'
import { isTooLarge } from './fault.ts'
import { findTables, identityOf, type TableFiles } from './files.ts'
import { LARGE_LINE_BYTES, LINE_BYTES } from './first-line.ts'
import { quoteName, quoteText } from './names.ts'

export interface DuckDbSourceOptions {
  readonly kind: 'duckdb' | 'parquet' | 'csv'
  /** Absolute: the database's path, or a glob. */
  readonly path: string
  /** Only files inside these are read; empty: the folder that the path begins with. */
  readonly folders: readonly string[]
  /**
   * Of a database. `snapshot`: it is copied first, and its writers go on. `locking`: it is read in place, where it must not be open for writing,
   * and nobody can open it so while an export runs.
   */
  readonly consistency: 'snapshot' | 'locking'
  readonly tempDir: string
  /** Hex; for hashed masks. Absent: a field that is to be hashed fails. */
  readonly maskKey?: string
}

/** What is read, fixed: the same files for every process that reads them. */
export interface Place {
  readonly database: string | null
  readonly tables: readonly TableFiles[]
}

/** What the process of a reading may take. */
export interface Allowance {
  readonly threads: number
  readonly memoryMb: number
  /** Of CSV files. */
  readonly lineBytes: number
}

/** Two cores read and sort faster than one, and more of them take more memory. */
export const USUAL: Allowance = { threads: 2, memoryMb: 400, lineBytes: LINE_BYTES }
/** Six bytes and more are set aside for each of a text that becomes JSON: this is for a cell of 64 MB, which takes 500 MB in truth. */
export const LARGE: Allowance = { threads: 1, memoryMb: 1_300, lineBytes: LARGE_LINE_BYTES }

/** Rejects with SOURCE_UNAVAILABLE where a file is not there, or outside of the folders. */
export async function findPlace({ kind, path, folders }: DuckDbSourceOptions): Promise<Place> {
  const tables = await findTables(path, folders.length > 0 ? folders : [fixedFolder(path)])
  if (kind !== 'duckdb') {
    if (tables.length > 0) return { database: null, tables }
    throw new FreightError('SOURCE_UNAVAILABLE', 'No file matches the address of the source; check it.')
  }
  const database = tables[0]?.paths[0]
  if (database !== undefined && tables.length === 1) return { database, tables: [] }
  throw new FreightError('SOURCE_UNAVAILABLE', 'The address of the source names no database file; check it.')
}

function fixedFolder(path: string): string {
  const parts = path.split(sep)
  const level = parts.findIndex((part) => /[*?[{]/.test(part))
  return level < 0 ? dirname(path) : parts.slice(0, level).join(sep) || sep
}

export interface Opened {
  readonly engine: Engine
  readonly allowance: Allowance
}

/** A process that reads nothing but the place. Of files only the tables that are wanted are there. */
export async function openPlace(options: DuckDbSourceOptions, place: Place, wanted: ReadonlySet<string>): Promise<Opened> {
  try {
    return { engine: await openWithin(USUAL, options, place, wanted), allowance: USUAL }
  } catch (thrown) {
    if (!isTooLarge(thrown)) throw thrown
    return { engine: await openWithin(LARGE, options, place, wanted), allowance: LARGE }
  }
}

/** The same with no more than the allowance; rejects with a `DuckDbFault` that `isTooLarge` knows where that is too little. */
export async function openWithin(
  allowance: Allowance,
  { kind, tempDir }: DuckDbSourceOptions,
  { database, tables }: Place,
  wanted: ReadonlySet<string>,
): Promise<Engine> {
  const { threads, memoryMb, lineBytes } = allowance
  const files = tables.flatMap(({ paths }) => paths)
  const engine = await startEngine({ tempDir, threads, memoryMb, keepsOrder: true, database, files })
  try {
    for (const table of tables) if (wanted.has(table.table)) await makeTable(engine, kind, table, lineBytes)
    return engine
  } catch (thrown) {
    await engine.end()
    throw thrown
  }
}

export async function makeTable(
  engine: Engine,
  kind: DuckDbSourceOptions['kind'],
  files: TableFiles,
  lineBytes: number,
): Promise<void> {
  const rows =
    kind === 'csv'
      ? `read_csv(${await csvArguments(files, lineBytes)}`
      : `read_parquet([${files.paths.map(quoteText).join(', ')}]`
  // A column that only some of the files have is there, and NULL in the others.
  const more = `hive_partitioning = false, union_by_name = ${files.paths.length > 1})`
  await engine.run(`create or replace view ${quoteName(files.table)} as select * from ${rows}, ${more}`)
}

/** Of the files of each table, or of the database (under null): what they are, to see later whether they have changed. */
export async function identities({ database, tables }: Place): Promise<ReadonlyMap<string | null, string>> {
  const found = new Map<string | null, string>()
  if (database !== null) found.set(null, await identityOf(database))
  for (const { table, paths } of tables) found.set(table, (await Promise.all(paths.map(identityOf))).join('\n'))
  return found
}

/** The first of the tables whose files are others now. */
export async function changedSince(before: ReadonlyMap<string | null, string>, place: Place): Promise<FreightError | null> {
  for (const [table, identity] of await identities(place)) {
    if (before.get(table) === identity) continue
    const what = table === null ? 'The DuckDB database of the source' : `A file of "${table}"`
    return new FreightError(
      'SOURCE_CHANGED',
      `${what} was written to, replaced or removed while it was read; start the export again when that is done.`,
    )
  }
  return null
}
