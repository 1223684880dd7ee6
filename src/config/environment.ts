/** The check of the environment: every variable, before anything starts. */
import { statSync } from 'node:fs'
import { dirname, parse, resolve } from 'node:path'
import { invalid } from './place.ts'
import type { Config } from './resolved.ts'

/** What a process is started with; an absent or empty variable counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the environment decides of a configuration. */
export type Settings = Pick<Config, 'host' | 'port' | 'dataDir' | 'publicUrl' | 'secret' | 'secretPrevious' | 'logLevel'>

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const SECRET_LENGTH = 32
const EXAMPLE_SECRET = /change.?me|example|replace|placeholder|your.?secret|^(.{1,8})\1+$/i

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
