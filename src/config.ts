/**
 * freight.config.ts and the environment, made into one checked `Config`. The only reader of `process.env`.
 */
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkConfig } from './config/check.ts'
import { checkEnvironment, type Environment } from './config/environment.ts'
import type { FreightConfig } from './config/freight-config.ts'
import { invalid } from './config/place.ts'
import type { Config } from './config/resolved.ts'

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
