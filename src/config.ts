/**
 * freight.config.ts and the environment, made into one checked `Config`. The only reader of `process.env`.
 *
 * A `Config` is plain data: it is posted to run threads as it stands.
 */
import type { CellType } from './job/row-text.ts'

export interface SourceConfig {
  /** `sqlite:path`, relative to the config file. */
  readonly url: string
  /**
   * `snapshot` (default): writers of the source are never held up; a SQLite database with a rollback journal is copied first.
   * `locking`: such a database is read in place, and its writers wait while an export runs.
   */
  readonly consistency?: 'snapshot' | 'locking'
}

/** A relation that no foreign key declares, or another name for one that is declared. */
export interface RelationConfig {
  /** The resource it leads to. */
  readonly resource: string
  /** Columns of this resource's table, and of the other's, pairwise. */
  readonly columns: readonly string[]
  readonly foreignColumns: readonly string[]
  readonly kind: 'one' | 'many'
}

export interface ResourceConfig {
  /** Name in `sources`; the only one, or `main`, when absent. */
  readonly source?: string
  /** The table or view; the resource's own name when absent. */
  readonly table?: string
  /** Whose rows: the column that holds the tenant, or `shared` for rows that every tenant may read. */
  readonly tenant: string
  /** Columns that do not exist for callers: not as field, filter, sort or include. */
  readonly hide?: readonly string[]
  /** Column to public name. */
  readonly rename?: Readonly<Record<string, string>>
  /** Column to type, where the database declares none. */
  readonly types?: Readonly<Record<string, CellType>>
  /** By relation name; `false` hides a relation found in the database. */
  readonly relations?: Readonly<Record<string, RelationConfig | false>>
  /** `'-created_at,id'`; the primary key when absent. */
  readonly sort?: string
  readonly retentionDays?: number
  /** An export of more rows is refused, or fails; it is never cut. */
  readonly maxRows?: number
  /** Public field names that `dry_data` leaves out, beside the primary key, created_at and updated_at. */
  readonly dryDataOmits?: readonly string[]
}

/** What `freight.config.ts` exports by default. The file must be free of side effects: run threads load it again. */
export interface FreightConfig {
  /** One source, named `main`. */
  readonly source?: string | SourceConfig
  readonly sources?: Readonly<Record<string, string | SourceConfig>>
  readonly resources: Readonly<Record<string, ResourceConfig>>
  /** Exports that run at once; default 2. */
  readonly concurrency?: number
  /** How long completed files are kept; default 7. */
  readonly retentionDays?: number
  /** How long a download link works; default 5. */
  readonly linkMinutes?: number
  /** How long a stopping server lets running exports finish; default 30. */
  readonly drainSeconds?: number
  /** A run is ended after this; default 12. */
  readonly maxRunHours?: number
  /** Requests per minute and key; default 1200. */
  readonly requestsPerMinute?: number
}

/** Gives a config file its types. */
export function defineConfig(config: FreightConfig): FreightConfig {
  return config
}

export interface ResolvedSource {
  readonly url: string
  readonly consistency: 'snapshot' | 'locking'
}

export type ResolvedResource = ResourceConfig & { readonly source: string; readonly table: string }

export interface Config {
  readonly host: string
  readonly port: number
  /** Absolute. */
  readonly dataDir: string
  /** Origin (and path) that links and addresses begin with, without a trailing slash; null: the address that is listened on. */
  readonly publicUrl: string | null
  /** From FREIGHT_SECRET and FREIGHT_SECRET_PREVIOUS; null: made and kept in the data folder. */
  readonly secret: string | null
  readonly secretPrevious: string | null
  readonly logLevel: string
  readonly sources: Readonly<Record<string, ResolvedSource>>
  readonly resources: Readonly<Record<string, ResolvedResource>>
  readonly concurrency: number
  readonly retentionMs: number
  readonly linkMs: number
  readonly drainMs: number
  readonly maxRunMs: number
  /** A run that neither reads nor writes for this long is ended with NO_PROGRESS. */
  readonly noProgressMs: number
  readonly requestsPerMinute: number
}
