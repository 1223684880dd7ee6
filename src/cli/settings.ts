/** The configuration a command works with. The environment is only handed on: `config.ts` reads it. */
import { join } from 'node:path'
import type { Config, ResolvedSource } from '../config/resolved.ts'
import { loadConfig, resolveConfig } from '../config.ts'
import { FreightError } from '../job/errors.ts'
import { demoConfig } from './demo/demo-config.ts'
import { CommandFailure } from './fault.ts'
import { EXIT } from './usage.ts'

/** The file that is named, else freight.config.ts where there is one, with the environment. Without a file nothing is offered. */
export function commandConfig(file: string | undefined): Promise<Config> {
  return loadConfig({ cwd: process.cwd(), ...(file === undefined ? {} : { file }) })
}

/** The configuration of `freight export` without --source: there must be one. */
export async function offeringConfig(file: string | undefined): Promise<{ config: Config }> {
  const config = await commandConfig(file)
  if (Object.keys(config.resources).length > 0) return { config }
  throw new CommandFailure(
    'There is no freight.config.ts here; say where the rows are with --source sqlite:path or postgres://...',
    {
      exitCode: EXIT.usage,
    },
  )
}

/**
 * For a source that is named on the command line, relative to the current folder. No file is read, so this works beside a broken
 * one; every table of the source may be asked for.
 */
export function sourceConfig(url: string): { config: Config; source: ResolvedSource } {
  try {
    const config = resolveConfig({ source: url, resources: { any: { tenant: 'shared' } } }, process.cwd(), process.env)
    const source = config.sources.main
    if (source) return { config: { ...config, sources: {}, resources: {} }, source }
  } catch (error) {
    const wrong = error instanceof FreightError ? /: source: (.*)$/s.exec(error.message)?.[1] : undefined
    if (wrong === undefined) throw error
    throw new CommandFailure(`--source ${wrong}`, { exitCode: EXIT.usage, cause: error })
  }
  throw new CommandFailure(`--source "${url}" is not known.`, { exitCode: EXIT.usage })
}

/** For `serve --demo`: whatever freight.config.ts says, the sample database in the data folder is offered, and nothing else. */
export function demoSettings(): { config: Config; samplePath: string } {
  const { dataDir } = resolveConfig(demoConfig('sample.db'), process.cwd(), process.env)
  const samplePath = join(dataDir, 'sample.db')
  return { config: resolveConfig(demoConfig(samplePath), process.cwd(), process.env), samplePath }
}
