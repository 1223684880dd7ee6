/**
 * What the tables of a place are, known until their files change: a process takes a while to start, and every table is asked for at the
 * start of a service.
 */
import type { Engine } from '../../duckdb/engine.ts'
import { FreightError } from '../../job/errors.ts'
import { didYouMean } from '../../job/suggestion.ts'
import type { TableDescription } from '../source.ts'
import { csvColumns } from './csv-types.ts'
import { listTables, tableFacts } from './facts.ts'
import { isTooLarge, sourceError } from './fault.ts'
import { identityOf, type TableFiles } from './files.ts'
import { type Allowance, type DuckDbSourceOptions, findPlace, LARGE, makeTable, openWithin, type Place, USUAL } from './place.ts'

/** How long a process that described one table waits for the question about the next. */
const LINGER_MS = 500

type Briefly = <Value>(ask: (engine: Engine) => Promise<Value>) => Promise<Value>

export class Descriptions {
  readonly #options: DuckDbSourceOptions
  readonly #briefly: Briefly
  /** By table, with what its files were. */
  readonly #known = new Map<string, { identity: string; description: TableDescription | null }>()
  #lingering: { engine: Engine; files: string; timer: NodeJS.Timeout | undefined } | null = null
  #found: { readonly place: Place; readonly at: number } = { place: { database: null, tables: [] }, at: 0 }
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: DuckDbSourceOptions, briefly: Briefly) {
    this.#options = options
    this.#briefly = briefly
  }

  /** One after the other, since they share a process. */
  describe(table: string): Promise<TableDescription | null> {
    const described = this.#last.then(() => (this.#options.kind === 'duckdb' ? this.#ofDatabase(table) : this.#ofFiles(table)))
    this.#last = described.catch(() => {})
    return described
  }

  async close(): Promise<void> {
    await this.#last
    await this.#endLingering()
  }

  /** All tables at once: a database is not held open between two questions, or nobody could write to it. */
  async #ofDatabase(table: string): Promise<TableDescription | null> {
    const { database } = await findPlace(this.#options)
    const identity = await identityOf(database ?? '')
    const known = this.#known.get(table)
    if (known?.identity === identity) return known.description
    await this.#briefly(async (engine) => {
      this.#known.clear()
      for (const name of new Set([...(await listTables(engine)), table])) {
        const facts = (await tableFacts(engine, { schema: null, name })) ?? (await inSchema(engine, name))
        this.#known.set(name, { identity, description: facts?.description ?? null })
      }
    })
    return this.#known.get(table)?.description ?? null
  }

  async #ofFiles(table: string): Promise<TableDescription | null> {
    const known = this.#known.get(table)
    const place = await this.#placeWith(table)
    const files = place.tables.find((each) => each.table === table)
    if (!files) throw noFile(table, place)
    const identity = (await Promise.all(files.paths.map(identityOf))).join('\n')
    if (known?.identity === identity) return known.description
    try {
      const description = await this.#ofTable(place, files)
      this.#known.set(table, { identity, description })
      return description
    } catch (thrown) {
      throw sourceError(thrown, [files])
    } finally {
      if (this.#lingering) this.#lingering.timer = setTimeout(() => void this.#endLingering(), LINGER_MS)
    }
  }

  /** Looked for once for many tables: with a table per file, each look would meet all of them. */
  async #placeWith(table: string): Promise<Place> {
    const { place, at } = this.#found
    const isFresh = performance.now() - at < LINGER_MS
    if (isFresh && place.tables.some((each) => each.table === table)) return place
    this.#found = { place: await findPlace(this.#options), at: performance.now() }
    return this.#found.place
  }

  async #ofTable(place: Place, files: TableFiles): Promise<TableDescription | null> {
    try {
      return await this.#described(await this.#process(place), files, USUAL)
    } catch (thrown) {
      if (!isTooLarge(thrown)) throw thrown
      const engine = await openWithin(LARGE, this.#options, place, new Set())
      try {
        return await this.#described(engine, files, LARGE)
      } finally {
        await engine.end()
      }
    }
  }

  async #described(engine: Engine, files: TableFiles, { lineBytes }: Allowance): Promise<TableDescription | null> {
    const { table } = files
    await makeTable(engine, this.#options.kind, files, lineBytes)
    const facts = await tableFacts(engine, { schema: null, name: table })
    if (!facts) return null
    const { columns } = facts.description
    const typed = this.#options.kind === 'csv' ? await csvColumns(engine, table, columns) : columns
    return { ...facts.description, kind: 'table', columns: typed }
  }

  async #process(place: Place): Promise<Engine> {
    const files = JSON.stringify(place.tables)
    if (this.#lingering && (this.#lingering.files !== files || this.#lingering.engine.over)) await this.#endLingering()
    clearTimeout(this.#lingering?.timer)
    this.#lingering ??= { engine: await openWithin(USUAL, this.#options, place, new Set()), files, timer: undefined }
    return this.#lingering.engine
  }

  async #endLingering(): Promise<void> {
    const lingering = this.#lingering
    this.#lingering = null
    clearTimeout(lingering?.timer)
    await lingering?.engine.end()
  }
}

/** Files come and go: what is not there now may be there again. */
function noFile(table: string, { tables }: Place): FreightError {
  const known = didYouMean(
    table,
    tables.map((each) => each.table),
  )
  return new FreightError('SOURCE_UNAVAILABLE', `The source has no file of a table "${table}".${known}`)
}

/** `schema.table`; a table of the default schema may have a dot in its name, too, and comes first. */
async function inSchema(engine: Engine, name: string): ReturnType<typeof tableFacts> {
  const dot = name.indexOf('.')
  return dot < 0 ? null : await tableFacts(engine, { schema: name.slice(0, dot), name: name.slice(dot + 1) })
}
