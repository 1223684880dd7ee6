/** What a team writes in `freight.config.ts`. */
import type { CodeResource } from '../job/code-resource.ts'
import type { CellType } from '../job/row-text.ts'
import type { MaskName } from '../job/spec.ts'
import type { ProtocolsConfig } from '../protocols/settings.ts'
import type { DeliveryConfig } from './delivery.ts'

export interface SourceConfig {
  /**
   * `sqlite:path`, relative to the config file, or `postgres://user:password@host:port/database`, or `duckdb:path`, `parquet:glob` or
   * `csv:glob`.
   */
  readonly url: string
  /**
   * `snapshot` (default): writers of the source are never held up; a SQLite database with a rollback journal is copied first.
   * `locking`: such a database is read in place, and its writers wait while an export runs.
   */
  readonly consistency?: 'snapshot' | 'locking'
  /** `duckdb:`, `parquet:` and `csv:`: only files inside these are read; the folder that the URL begins with when absent. */
  readonly folders?: readonly string[]
  /** PostgreSQL: connections that read one whole table at once, over ranges of its key; default 1. */
  readonly parallel?: number
  /** PostgreSQL: variables that are set where rows are read, for row level security: name to claim of the caller, or `tenant`. */
  readonly sessionVariables?: Readonly<Record<string, string>>
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

interface MaskConfig {
  readonly as: MaskName
  /** The scope whose holders see the values themselves. */
  readonly unless?: string
}

export interface ResourceConfig {
  /** Name in `sources`; the only one, or `main`, when absent. */
  readonly source?: string
  /** The table or view, `schema.table` outside of the default schema; the resource's own name when absent. */
  readonly table?: string
  /** Whose rows: the column that holds the tenant, or `shared` for rows that every tenant may read. */
  readonly tenant: string
  /** Rows by claims of the caller, beside the tenant: column to claim (its name, or a path with dots), all of them together. */
  readonly scope?: Readonly<Record<string, string>>
  /** `exports:read` and the like do not hold for it; `exports:read:<this resource>` does. */
  readonly ownScope?: boolean
  /** Public field name to the scope without which the field does not exist for a caller. */
  readonly fieldScopes?: Readonly<Record<string, string>>
  /** Public field name to what callers get in place of its values, unless they hold a scope. */
  readonly masks?: Readonly<Record<string, MaskName | MaskConfig>>
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

/** An issuer of tokens (JWT) whose callers may use this service. */
export interface IssuerConfig {
  /** Equal to the character to the token's `iss`. */
  readonly issuer: string
  /** Its public keys: an https address, or `file:path` relative to the config file. */
  readonly jwks: string
  /** One of them must be in the token's `aud`. */
  readonly audience: string | readonly string[]
  /** Default RS256, PS256, ES256 and EdDSA. Never a MAC. */
  readonly algorithms?: readonly string[]
  /** Names of claims, or paths with dots; default `tenant`, `scope`, `mode` (`live`, `test`, or yes for a test) and `sub`. */
  readonly claims?: { readonly tenant?: string; readonly scope?: string; readonly mode?: string; readonly subject?: string }
  /** What a scope of the issuer's means here; one that is not listed stands for itself. */
  readonly scopes?: Readonly<Record<string, readonly string[]>>
}

/** Absent: no limit. Days are those of UTC. */
export interface TenantLimitsConfig {
  /** Exports that run at once; more wait. */
  readonly running?: number
  /** Exports that wait; one more is refused. */
  readonly waiting?: number
  /** Of completed exports. */
  readonly rowsPerDay?: number
  readonly bytesPerDay?: number
  /** Of all the tenant's callers together. */
  readonly requestsPerMinute?: number
}

/** What `freight.config.ts` exports by default. The file must be free of side effects: every command loads it. */
export interface FreightConfig {
  /** One source, named `main`. */
  readonly source?: string | SourceConfig
  readonly sources?: Readonly<Record<string, string | SourceConfig>>
  /** May be empty where `code` lists some. */
  readonly resources: Readonly<Record<string, ResourceConfig>>
  /**
   * Resources written in code, each made by `defineResource`. Run threads import this file again for them, so this works only in a
   * configuration file; elsewhere name their module as a source, `code:path`.
   */
  readonly code?: readonly CodeResource[]
  /** Wire protocols served beside Freight's own API; none when absent. */
  readonly protocols?: ProtocolsConfig
  /** Where callers may have their files copied to. */
  readonly delivery?: DeliveryConfig
  /** Whose tokens are taken, beside API keys and the tokens that Freight grants itself. */
  readonly issuers?: readonly IssuerConfig[]
  /** How much each tenant may ask for; absent: as much as the service can. */
  readonly limits?: TenantLimitsConfig & { readonly tenants?: Readonly<Record<string, TenantLimitsConfig>> }
  /** How long a token that Freight grants works; default 60. */
  readonly tokenMinutes?: number
  /** How long the record of who did what is kept; default 365. */
  readonly auditDays?: number
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
