/** The check of the sources that a configuration file names. */
import { resolve } from 'node:path'
import { didYouMean } from '../job/suggestion.ts'
import { checkSessionVariables } from './access.ts'
import { CODE_SOURCE } from './code.ts'
import { checkFilePath, checkFolders, FILE_SCHEMES } from './files.ts'
import { checkName, type Members, type Place } from './place.ts'
import type { ResolvedSource } from './resolved.ts'

const SCHEMES = ['sqlite:', 'postgres:', 'postgresql:', 'code:', ...FILE_SCHEMES]
/** Each connection is a process on the database's machine. */
const MOST_PARALLEL = 16

export function checkSources(root: Place, config: Members, base: string): Record<string, ResolvedSource> {
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
