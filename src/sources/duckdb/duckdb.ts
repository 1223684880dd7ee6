/** DuckDB databases, Parquet files and CSV files as sources. Every query runs in a process of its own, which may read these files only. */
import { rmSync } from 'node:fs'
import type { Engine } from '../../duckdb/engine.ts'
import { makeWorkFolder } from '../../duckdb/work-folder.ts'
import { FreightError } from '../../job/errors.ts'
import type { RowCount } from '../../job/row-text.ts'
import type { CheckedPart, TableRef } from '../../job/spec.ts'
import type { Query, Snapshot, Source, TableDescription } from '../source.ts'
import { copyDatabase } from './database-copy.ts'
import { Descriptions } from './descriptions.ts'
import { listTables, type TableFacts, tableFacts } from './facts.ts'
import { sourceError } from './fault.ts'
import { type DuckDbSourceOptions, findPlace, identities, type Opened, openPlace, type Place } from './place.ts'
import { planPart, tablesOf } from './plan.ts'
import { DuckDbSnapshot } from './snapshot.ts'

export function createDuckDbSource(options: DuckDbSourceOptions): Source {
  return new DuckDbSource(options)
}

class DuckDbSource implements Source {
  readonly masks = true
  readonly #options: DuckDbSourceOptions
  readonly #snapshots = new Set<Snapshot>()
  readonly #descriptions: Descriptions
  #isClosed = false

  constructor(options: DuckDbSourceOptions) {
    this.#options = options
    this.#descriptions = new Descriptions(options, (ask) => this.#briefly(null, ask))
  }

  async tables(): Promise<string[]> {
    if (this.#options.kind === 'duckdb') return await this.#briefly(null, listTables)
    this.#assertOpen()
    return (await findPlace(this.#options)).tables.map(({ table }) => table)
  }

  describe(table: string): Promise<TableDescription | null> {
    return this.#descriptions.describe(table)
  }

  /** What the files say of themselves: a database's statistics, or the footers of Parquet files. */
  estimate(part: CheckedPart, signal: AbortSignal): Promise<RowCount> {
    signal.throwIfAborted()
    return this.#briefly(part.table.name, async (engine, place) => {
      const all = part.where === null && part.scope === null ? await this.#size(engine, place, part.table) : null
      const rows = all !== null && part.limit !== null ? Math.min(all, part.limit) : all
      return { rows, exact: false }
    })
  }

  async open(query: Query, signal: AbortSignal): Promise<Snapshot> {
    this.#assertOpen()
    if (signal.aborted) throw aborted()
    const options = this.#options
    const tables = new Set(query.parts.flatMap(tablesOf).map(({ name }) => name))
    let folder: string | null = null
    let opened: Opened | null = null
    let place: Place = NOWHERE
    try {
      // Files of other tables may come, change and go meanwhile.
      place = placeOf(tables, await findPlace(options))
      const before = await identities(place)
      const takenAt = new Date()
      if (place.database !== null && options.consistency === 'snapshot') {
        folder = makeWorkFolder(options.tempDir)
        place = { ...place, database: await copyDatabase(place.database, folder) }
      }
      opened = await openPlace(options, place, tables)
      const { engine, allowance } = opened
      const facts = await this.#factsOf(engine, query)
      const plans = query.parts.map((part) => planPart(part, query.layout, facts, options.maskKey ?? null))
      const reading = { options, place, identities: before, query, tables, plans, takenAt, allowance, folder }
      const snapshot = new DuckDbSnapshot(reading, engine, signal)
      this.#snapshots.add(snapshot)
      return snapshot
    } catch (thrown) {
      await opened?.engine.end()
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
      throw sourceError(thrown, place.tables)
    }
  }

  async endSession(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#descriptions.close()
    await Promise.all([...this.#snapshots].map((snapshot) => snapshot.close()))
    this.#snapshots.clear()
  }

  async #factsOf(engine: Engine, query: Query): Promise<(table: TableRef) => TableFacts> {
    const known = new Map<string, TableFacts>()
    for (const table of query.parts.flatMap(tablesOf)) {
      const key = keyOf(table)
      if (known.has(key)) continue
      const facts = await tableFacts(engine, table)
      if (!facts) throw gone(table.name)
      known.set(key, facts)
    }
    return (table) => {
      const facts = known.get(keyOf(table))
      if (!facts) throw gone(table.name)
      return facts
    }
  }

  async #size(engine: Engine, { tables }: Place, table: TableRef): Promise<number | null> {
    const files = tables.find((each) => each.table.toLowerCase() === table.name.toLowerCase())
    if (this.#options.kind === 'csv') return null
    const [row] = files
      ? await engine.rows(`select sum(num_rows) from parquet_file_metadata(from_json($1, '["VARCHAR"]'))`, [
          JSON.stringify(files.paths),
        ])
      : await engine.rows(
          `select estimated_size from duckdb_tables() where database_name = current_database() and schema_name = $1 and table_name = $2`,
          [table.schema ?? 'main', table.name],
        )
    return row?.[0] == null ? null : Number(row[0])
  }

  /** A database that is open for writing elsewhere cannot be read in place, not even for its tables' names. */
  async #briefly<Value>(table: string | null, ask: (engine: Engine, place: Place) => Promise<Value>): Promise<Value> {
    this.#assertOpen()
    const options = this.#options
    const wanted = new Set(table === null ? [] : [table])
    let folder: string | null = null
    let engine: Engine | null = null
    let place: Place = NOWHERE
    try {
      place = placeOf(wanted, await findPlace(options))
      try {
        engine = (await openPlace(options, place, wanted)).engine
      } catch (thrown) {
        const isLocked = thrown instanceof Error && /Could not set lock|Conflicting lock/i.test(thrown.message)
        if (!isLocked || place.database === null || options.consistency !== 'snapshot') throw thrown
        folder = makeWorkFolder(options.tempDir)
        place = { ...place, database: await copyDatabase(place.database, folder) }
        engine = (await openPlace(options, place, wanted)).engine
      }
      return await ask(engine, place)
    } catch (thrown) {
      throw sourceError(thrown, place.tables)
    } finally {
      await engine?.end()
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FreightError('SOURCE_UNAVAILABLE', 'The source is closed.')
  }
}

const NOWHERE: Place = { database: null, tables: [] }

function placeOf(wanted: ReadonlySet<string>, { database, tables }: Place): Place {
  return { database, tables: tables.filter(({ table }) => wanted.has(table)) }
}

function keyOf({ schema, name }: TableRef): string {
  return JSON.stringify([schema, name])
}

function gone(table: string): FreightError {
  return new FreightError('SOURCE_CHANGED', `The table "${table}" is no longer in the source; ask for the export anew.`)
}

function aborted(): FreightError {
  return new FreightError('ABORTED', 'Reading the source was stopped.')
}
