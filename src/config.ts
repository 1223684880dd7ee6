/**
 * freight.config.ts and the environment, made into one checked `Config`. The only reader of `process.env`.
 *
 * A `Config` is plain data: it is posted to run threads as it stands.
 */
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CheckedIssuer } from './config/access.ts'
import { checkConfig } from './config/check.ts'
import type { DeliveryConfig, DeliverySettings } from './config/delivery.ts'
import { checkEnvironment } from './config/environment.ts'
import { invalid } from './config/place.ts'
import type { CodeResource } from './job/code-resource.ts'
import type { Quotas } from './job/limits.ts'
import type { CellType } from './job/row-text.ts'
import type { MaskName } from './job/spec.ts'
import type { ProtocolsConfig } from './protocols/settings.ts'

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

export interface MaskConfig {
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

export interface ResolvedSource {
  readonly url: string
  readonly consistency: 'snapshot' | 'locking'
  /** Absolute. */
  readonly folders?: readonly string[]
  readonly parallel: number
  readonly sessionVariables?: Readonly<Record<string, string>>
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
  readonly protocols: ProtocolsConfig
  readonly delivery: DeliverySettings
  readonly concurrency: number
  readonly retentionMs: number
  readonly linkMs: number
  readonly drainMs: number
  readonly maxRunMs: number
  /** A run that neither reads nor writes for this long is ended with NO_PROGRESS. */
  readonly noProgressMs: number
  readonly requestsPerMinute: number
  readonly issuers: readonly CheckedIssuer[]
  readonly limits: Quotas
  /** How long a token that Freight grants works. */
  readonly tokenMs: number
  /** How long the audit is kept. */
  readonly auditMs: number
}

/** What a process is started with; an absent or empty variable counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>

const FILE_NAMES = ['freight.config.ts', 'freight.config.js', 'freight.config.mjs']
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs']
/** A configuration is written by hand; anything larger was named by mistake. */
const MAX_FILE_BYTES = 1024 * 1024

/**
 * The file that is named (`file`, else FREIGHT_CONFIG, else freight.config.ts, .js or .mjs in `cwd`) and the environment,
 * checked. Without a file `fallback` stands in for it, its paths relative to the data folder; without either there are no sources
 * and no resources. Rejects with CONFIG_INVALID: one line that names the file and the place in it, never a secret.
 */
export async function loadConfig(input: {
  cwd: string
  env?: Environment
  file?: string | null
  fallback?: FreightConfig
}): Promise<Config> {
  const { cwd, env = process.env } = input
  const settings = checkEnvironment(env, cwd)
  const named = input.file || env.FREIGHT_CONFIG || (await presentFile(cwd))
  if (named) {
    const path = resolve(cwd, named)
    const shown = input.file || env.FREIGHT_CONFIG ? named : basename(named)
    const module = await importConfig(path, shown)
    return { ...settings, ...checkConfig(module.default, dirname(path), shown, path) }
  }
  if (input.fallback) return { ...settings, ...checkConfig(input.fallback, settings.dataDir, 'the built-in configuration') }
  return { ...settings, ...checkConfig(null, cwd, '') }
}

/**
 * The same for a configuration at hand, as in tests and when embedded. Relative paths, that of FREIGHT_DATA too, are relative
 * to `base`. Throws CONFIG_INVALID.
 */
export function resolveConfig(file: FreightConfig, base: string, env: Environment): Config {
  return { ...checkEnvironment(env, base), ...checkConfig(file, resolve(base), 'configuration') }
}

async function presentFile(cwd: string): Promise<string | null> {
  for (const name of FILE_NAMES) {
    const path = join(cwd, name)
    if (await stat(path).catch(() => null)) return path
  }
  return null
}

/** The module, not its default export: a promise there would be awaited, and must be refused. */
async function importConfig(path: string, shown: string): Promise<{ readonly default?: unknown }> {
  await assertReadable(path, shown)
  let module: { readonly default?: unknown }
  try {
    module = await import(/* @vite-ignore */ pathToFileURL(path).href)
  } catch (error) {
    throw invalid(shown, describeImport(error, dirname(path)), error)
  }
  if (module.default == null) throw invalid(shown, 'has no default export; write "export default defineConfig({ ... })".')
  return module
}

async function assertReadable(path: string, shown: string): Promise<void> {
  const stats = await stat(path).catch((error: unknown) => {
    throw invalid(shown, 'there is no such file; name another with FREIGHT_CONFIG.', error)
  })
  if (stats.isDirectory()) throw invalid(shown, 'is a folder; name the file in it.')
  if (!stats.isFile()) throw invalid(shown, 'is not a file.')
  if (!EXTENSIONS.includes(extname(path))) throw invalid(shown, `must end in ${EXTENSIONS.join(', ')}.`)
  if (stats.size > MAX_FILE_BYTES) throw invalid(shown, 'is larger than 1 MB; this is no configuration.')
  await readFile(path).catch((error: unknown) => {
    throw invalid(shown, 'cannot be read; check its permissions.', error)
  })
}

/** Text without the user and password of any URL in it. */
function masked(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, '$1***@')
}

/** What went wrong and on which line, without the folder's path and without passwords. */
function describeImport(error: unknown, folder: string): string {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  const line = /^[^\n]*\.m?[jt]s:(\d+)\n/.exec(stack)?.[1]
  const what = masked(message.split('\n', 1)[0] ?? '')
    .replaceAll(`${folder}/`, '')
    .slice(0, 300)
  return line === undefined ? `could not be loaded: ${what}` : `line ${line} could not be read: ${what}`
}
