/**
 * The check of a configuration file and of the environment: every name and value, before anything starts.
 *
 * A misspelt key must not be ignored: `hidde: ['password_hash']` would offer the column. No message repeats a secret or a URL.
 */
import { statSync } from 'node:fs'
import { dirname, parse, resolve } from 'node:path'
import type { Config, Environment, ResolvedResource, ResolvedSource, ResourceConfig } from './config.ts'
import { checkIssuers, checkLimits, checkResourceAccess, checkSessionVariables } from './config-access.ts'
import { CODE_SOURCE, checkCode } from './config-code.ts'
import { checkDelivery } from './config-delivery.ts'
import { checkFilePath, checkFolders, FILE_SCHEMES } from './config-files.ts'
import { FreightError } from './job/errors.ts'
import { CELL_TYPES } from './job/row-text.ts'
import { didYouMean } from './job/suggestion.ts'
import { checkProtocols } from './protocols/settings.ts'

type Settings = Pick<Config, 'host' | 'port' | 'dataDir' | 'publicUrl' | 'secret' | 'secretPrevious' | 'logLevel'>
type Offer = Omit<Config, keyof Settings>

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Longer than the largest sort that was tried takes to its first row, short enough that a dead disk is noticed. */
const NO_PROGRESS_MS = 5 * MINUTE_MS

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const SECRET_LENGTH = 32
const EXAMPLE_SECRET = /change.?me|example|replace|placeholder|your.?secret|^(.{1,8})\1+$/i
const SCHEMES = ['sqlite:', 'postgres:', 'postgresql:', 'code:', ...FILE_SCHEMES]
/** Each connection is a process on the database's machine. */
const MOST_PARALLEL = 16

/** One line: the file, the place in it, what is wrong there. */
export function invalid(place: string, message: string, cause?: unknown): FreightError {
  return new FreightError('CONFIG_INVALID', `${place}: ${message}`, { cause })
}

export function checkEnvironment(env: Environment, cwd: string): Settings {
  const port = env.PORT || '8080'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw invalid('PORT', 'must be a port, a whole number from 0 to 65535.')
  const host = env.HOST || '127.0.0.1'
  if (!/^[A-Za-z0-9.:%_-]+$/.test(host)) throw invalid('HOST', 'must be an address or a host name, without a scheme or a port.')
  const logLevel = env.FREIGHT_LOG_LEVEL || 'info'
  if (!LOG_LEVELS.includes(logLevel)) throw invalid('FREIGHT_LOG_LEVEL', `must be one of ${LOG_LEVELS.join(', ')}.`)
  if (env.FREIGHT_DATABASE_URL) {
    throw invalid('FREIGHT_DATABASE_URL', 'is not supported yet: records are kept in SQLite, in FREIGHT_DATA. Unset it.')
  }
  return {
    host,
    port: Number(port),
    dataDir: checkDataDir(env.FREIGHT_DATA || '.freight', cwd),
    publicUrl: checkPublicUrl(env.FREIGHT_PUBLIC_URL || null),
    secret: checkSecret('FREIGHT_SECRET', env.FREIGHT_SECRET),
    secretPrevious: checkSecret('FREIGHT_SECRET_PREVIOUS', env.FREIGHT_SECRET_PREVIOUS),
    logLevel,
  }
}

function checkDataDir(given: string, cwd: string): string {
  if (given.includes('\0') || given.includes('\n')) throw invalid('FREIGHT_DATA', 'must be a path without line breaks.')
  const path = resolve(cwd, given)
  if (path === parse(path).root) throw invalid('FREIGHT_DATA', 'must be a folder of its own, not the root of the file system.')
  // Making folders there never ends: Node tries again for as long as the parent is there and the folder is not.
  if (/^\/(proc|sys)\//.test(path))
    throw invalid('FREIGHT_DATA', "lies in a file system of the kernel's own, which keeps no files.")
  let existing = path
  while (!statSync(existing, { throwIfNoEntry: false })) existing = dirname(existing)
  if (!statSync(existing).isDirectory()) throw invalid('FREIGHT_DATA', 'is a file, or lies below one; name a folder.')
  return path
}

function checkPublicUrl(given: string | null): string | null {
  if (given === null) return null
  const url = URL.canParse(given) ? new URL(given) : null
  const fits = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  if (!fits) throw invalid('FREIGHT_PUBLIC_URL', 'must be an http or https address without user, query or fragment.')
  return url.href.replace(/\/+$/, '')
}

/** Set but empty is refused: a variable that was not passed on must not make links that die with this machine. */
function checkSecret(name: string, given: string | undefined): string | null {
  if (given === undefined) return null
  if (given.length < SECRET_LENGTH) {
    throw invalid(
      name,
      `must have at least ${SECRET_LENGTH} characters, for example from "openssl rand -base64 48". Unset it to have one made.`,
    )
  }
  if (EXAMPLE_SECRET.test(given)) throw invalid(name, 'is an example, not a secret. Make one with "openssl rand -base64 48".')
  return given
}

/**
 * `file` null: served without a configuration. `base` is the folder that relative paths start from, `modulePath` the file itself where it
 * is one: threads import it for its `code`.
 */
export function checkConfig(file: unknown, base: string, shown: string, modulePath: string | null = null): Offer {
  const root = new Place(shown, '')
  const config = file === null ? {} : root.object(file, CONFIG_KEYS)
  const amount = (key: string, most: number, otherwise: number): number =>
    config[key] === undefined ? otherwise : root.at(key).number(config[key], most)
  const count = (key: string, most: number, otherwise: number): number =>
    config[key] === undefined ? otherwise : root.at(key).count(config[key], most)
  const code = checkCode(root, config.code, modulePath)
  const named = file === null ? {} : checkSources(root, config, base)
  const tables = file === null ? {} : checkResources(root.at('resources'), config, named)
  const sources = { ...named, ...code.sources }
  const resources = { ...tables, ...code.resources }
  for (const name of Object.keys(tables))
    if (Object.hasOwn(code.resources, name))
      throw root.at('resources').at(name).invalid('is the name of a resource in code, too.')
  return {
    sources,
    resources,
    delivery: checkDelivery(root.at('delivery'), config.delivery),
    protocols: checkProtocols(root.at('protocols'), config.protocols, Object.keys(resources)),
    concurrency: count('concurrency', 64, 2),
    retentionMs: amount('retentionDays', 3_650, 7) * DAY_MS,
    // Seven days are the longest that S3 signs a link for; no storage is asked for more.
    linkMs: amount('linkMinutes', 7 * 24 * 60, 5) * MINUTE_MS,
    drainMs: amount('drainSeconds', 3_600, 30) * 1_000,
    maxRunMs: amount('maxRunHours', 24 * 7, 12) * HOUR_MS,
    noProgressMs: NO_PROGRESS_MS,
    requestsPerMinute: count('requestsPerMinute', 1_000_000, 1_200),
    issuers: checkIssuers(root.at('issuers'), config.issuers, base),
    limits: checkLimits(root.at('limits'), config.limits),
    tokenMs: amount('tokenMinutes', 24 * 60, 60) * MINUTE_MS,
    auditMs: amount('auditDays', 36_500, 365) * DAY_MS,
  }
}

const CONFIG_KEYS =
  'source sources resources code protocols delivery issuers limits concurrency retentionDays linkMinutes tokenMinutes auditDays drainSeconds maxRunHours requestsPerMinute'.split(
    ' ',
  )
const RESOURCE_KEYS =
  'source table tenant scope ownScope fieldScopes masks hide rename types relations sort retentionDays maxRows dryDataOmits'.split(
    ' ',
  )

function checkSources(root: Place, config: Members, base: string): Record<string, ResolvedSource> {
  const { source, sources } = config
  if (source !== undefined && sources !== undefined) throw root.invalid('give source or sources, not both.')
  if (source !== undefined) return { main: checkSource(root.at('source'), source, base) }
  if (sources === undefined && config.code !== undefined) return {}
  if (sources === undefined) throw root.invalid("says no source; write source: 'sqlite:path/to/database.db'.")
  const place = root.at('sources')
  const named = place.map(sources, (at, value, name) => {
    checkName(at, name)
    if (name === CODE_SOURCE && config.code !== undefined)
      throw at.invalid("is the name of the source of this file's own code; choose another.")
    return checkSource(at, value, base)
  })
  if (Object.keys(named).length === 0) throw place.invalid('names no source.')
  return named
}

function checkSource(place: Place, value: unknown, base: string): ResolvedSource {
  if (typeof value === 'string') return { url: checkSourceUrl(place, value, base), consistency: 'snapshot', parallel: 1 }
  const source = place.object(value, ['url', 'consistency', 'folders', 'parallel', 'sessionVariables'])
  const parallel = source.parallel === undefined ? 1 : place.at('parallel').count(source.parallel, MOST_PARALLEL)
  const consistency = source.consistency ?? 'snapshot'
  if (consistency !== 'snapshot' && consistency !== 'locking')
    throw place.at('consistency').invalid("must be 'snapshot' or 'locking'.")
  const sessionVariables = checkSessionVariables(place.at('sessionVariables'), source.sessionVariables)
  const url = checkSourceUrl(place.at('url'), source.url, base)
  const folders = checkFolders(place.at('folders'), source.folders, url, base)
  return { url, consistency, parallel, sessionVariables, ...folders }
}

function checkSourceUrl(place: Place, value: unknown, base: string): string {
  const url = place.text(value)
  const scheme = /^[a-z][a-z0-9+]*:/i.exec(url)?.[0] ?? ''
  if (!SCHEMES.includes(scheme)) {
    const found = scheme === '' ? 'begins with no kind of source' : `"${scheme}" is not a kind of source that is known`
    throw place.invalid(
      `${found}; known: sqlite:path, postgres://user@host/database, duckdb:path, parquet:glob, csv:glob.${didYouMean(scheme, SCHEMES)}`,
    )
  }
  const path = url.slice(scheme.length)
  if (scheme === 'code:') return `${scheme}${resolve(base, place.text(path))}`
  if (scheme.startsWith('postgres')) return checkServerUrl(place, url)
  return `${scheme}${checkFilePath(place, scheme, path, base)}`
}

/** Nothing of it is repeated: it holds a password. */
function checkServerUrl(place: Place, url: string): string {
  const { hostname = '', pathname = '', search = '' } = URL.canParse(url) ? new URL(url) : {}
  const isNamed = /^\/[^/]+$/.test(pathname) && (hostname !== '' || /[?&]host=/.test(search))
  if (!isNamed) throw place.invalid('must name a host and a database: postgres://user:password@host:5432/database.')
  return url
}

function checkResources(
  place: Place,
  { resources: value, code }: Members,
  sources: Readonly<Record<string, unknown>>,
): Record<string, ResolvedResource> {
  if (value === undefined && code !== undefined) return {}
  if (value === undefined) throw place.invalid('is missing: it lists what may be exported.')
  const resources = place.map(value, (at, resource, name) => checkResource(at, resource, name, Object.keys(sources)))
  if (Object.keys(resources).length === 0 && code === undefined)
    throw place.invalid('is empty: list at least one table that may be exported.')
  return resources
}

function checkResource(place: Place, value: unknown, name: string, sources: readonly string[]): ResolvedResource {
  checkName(place, name)
  const resource = place.object(value, RESOURCE_KEYS)
  for (const key of ['table', 'tenant', 'source', 'sort']) if (resource[key] !== undefined) place.at(key).text(resource[key])
  if (resource.tenant === undefined) {
    const how = "Name the column that holds the tenant, or write 'shared' for rows that every tenant may read."
    throw place.at('tenant').invalid(`is missing: it says whose the rows are. ${how}`)
  }
  checkResourceAccess(place, resource)
  for (const key of ['hide', 'dryDataOmits']) if (resource[key] !== undefined) place.at(key).texts(resource[key])
  if (resource.rename !== undefined) place.at('rename').map(resource.rename, checkName)
  if (resource.types !== undefined) place.at('types').map(resource.types, checkType)
  if (resource.relations !== undefined) place.at('relations').map(resource.relations, checkRelation)
  if (resource.retentionDays !== undefined) place.at('retentionDays').number(resource.retentionDays, 3_650)
  if (resource.maxRows !== undefined) place.at('maxRows').count(resource.maxRows, Number.MAX_SAFE_INTEGER)
  // Every member has been checked against its type above.
  const checked = resource as unknown as ResourceConfig
  return { ...checked, source: chooseSource(place, checked.source, sources), table: checked.table ?? name }
}

function chooseSource(place: Place, asked: string | undefined, sources: readonly string[]): string {
  const usual = sources.length === 1 ? sources[0] : sources.find((source) => source === 'main')
  const name = asked ?? usual
  if (name === undefined) throw place.at('source').invalid(`is missing: there are several sources (${sources.join(', ')}).`)
  if (sources.includes(name)) return name
  throw place.at('source').invalid(`there is no source "${name}".${didYouMean(name, sources)}`)
}

/** A public name is a word that needs no quotes in a filter, a sort key, a dotted path, a link or a file's name. */
function checkName(place: Place, value: unknown): void {
  const name = place.text(value)
  if (name in {}) throw place.invalid(`"${name}" cannot be a name.`)
  if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name))
    throw place.invalid('must be a name of letters, digits, "_" and "-", without dots or spaces.')
}

function checkType(place: Place, value: unknown): void {
  const type = place.text(value)
  if ((CELL_TYPES as readonly string[]).includes(type)) return
  throw place.invalid(`"${type}" is not a type; known: ${CELL_TYPES.join(', ')}.${didYouMean(type, CELL_TYPES)}`)
}

function checkRelation(place: Place, value: unknown, name: string): void {
  checkName(place, name)
  if (value === false) return
  const relation = place.object(value, ['resource', 'columns', 'foreignColumns', 'kind'])
  place.at('resource').text(relation.resource)
  place.at('columns').texts(relation.columns)
  place.at('foreignColumns').texts(relation.foreignColumns)
  if (relation.kind !== 'one' && relation.kind !== 'many') throw place.at('kind').invalid("must be 'one' or 'many'.")
}

export type Members = Readonly<Record<string, unknown>>

/** A place in the file, with the checks that name it when they fail. */
export class Place {
  readonly #shown: string
  readonly #path: string

  constructor(shown: string, path: string) {
    this.#shown = shown
    this.#path = path
  }

  at(key: string): Place {
    return new Place(this.#shown, this.#path === '' ? key : `${this.#path}.${key}`)
  }

  invalid(message: string): FreightError {
    return invalid(this.#path === '' ? this.#shown : `${this.#shown}: ${this.#path}`, message)
  }

  /** Own members only: `{ __proto__: ... }` in a file sets a prototype, and what it holds must not count as written. */
  object(value: unknown, known: readonly string[] | null): Members {
    const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise)
    if (!isPlain) throw this.invalid(`must be an object, not ${kindOf(value)}.`)
    const prototype: unknown = Object.getPrototypeOf(value)
    // Another realm's objects (a test runner's, a vm's) are plain, too: their prototype has no prototype.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw this.invalid('must be a plain object, without __proto__.')
    for (const key of Object.keys(value)) {
      if (known ? known.includes(key) : key !== '__proto__') continue
      throw known
        ? this.invalid(`there is no setting "${key}".${didYouMean(key, known)}`)
        : this.invalid(`"${key}" cannot be a name.`)
    }
    return { ...value }
  }

  map<Value>(value: unknown, check: (at: Place, member: unknown, name: string) => Value): Record<string, Value> {
    const members = Object.entries(this.object(value, null))
    return Object.fromEntries(members.map(([name, member]) => [name, check(this.at(name), member, name)]))
  }

  text(value: unknown): string {
    if (typeof value !== 'string') throw this.invalid(`must be text, not ${kindOf(value)}.`)
    if (value.trim() === '') throw this.invalid('must not be empty.')
    return value
  }

  /** `what` is the noun for one of them. */
  oneOf(value: unknown, known: readonly string[], what: string): string {
    const name = this.text(value)
    if (known.includes(name)) return name
    throw this.invalid(`there is no ${what} "${name}".${didYouMean(name, known)}`)
  }

  texts(value: unknown): void {
    if (!Array.isArray(value)) throw this.invalid(`must be a list of names, not ${kindOf(value)}.`)
    value.forEach((entry, index) => {
      this.at(String(index)).text(entry)
    })
  }

  number(value: unknown, most: number): number {
    if (typeof value !== 'number') throw this.invalid(`must be a number, not ${kindOf(value)}.`)
    if (!(value > 0 && value <= most)) throw this.invalid(`must be more than 0 and at most ${most}.`)
    return value
  }

  count(value: unknown, most: number): number {
    if (Number.isSafeInteger(this.number(value, most))) return this.number(value, most)
    throw this.invalid('must be a whole number.')
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'text'
  return value instanceof Promise ? 'a promise' : `a ${typeof value}`
}
