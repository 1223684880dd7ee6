/** Where a source of DuckDB's reads: a database, or files that stand for tables. */
import { dirname, sep } from 'node:path'
import { type Engine, startEngine } from '../../duckdb/engine.ts'
import { FreightError } from '../../job/errors.ts'
import { csvArguments } from './csv-dialect.ts'
import { findTables, identityOf, type TableFiles } from './files.ts'
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

/** Two cores read and sort faster than one, and more of them take more memory. */
const THREADS = 2
const MEMORY_MB = 400

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

/** A process that reads nothing but the place. Of files only the tables that are wanted are there. */
export async function openPlace(options: DuckDbSourceOptions, place: Place, wanted: ReadonlySet<string>): Promise<Engine> {
  const files = place.tables.flatMap(({ paths }) => paths)
  const { tempDir } = options
  const engine = await startEngine({ tempDir, threads: THREADS, memoryMb: MEMORY_MB, database: place.database, files })
  try {
    for (const table of place.tables) if (wanted.has(table.table)) await makeTable(engine, options.kind, table)
    return engine
  } catch (thrown) {
    await engine.end()
    throw thrown
  }
}

export async function makeTable(engine: Engine, kind: DuckDbSourceOptions['kind'], files: TableFiles): Promise<void> {
  const rows =
    kind === 'csv' ? `read_csv(${await csvArguments(files)}` : `read_parquet([${files.paths.map(quoteText).join(', ')}]`
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
