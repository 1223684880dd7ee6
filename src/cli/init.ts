/** `freight init`: writes a first freight.config.ts from what a database says of itself. */
import { writeFile } from 'node:fs/promises'
import { dirname, relative, resolve, sep } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { draftConfig } from './config-draft.ts'
import { CommandFailure } from './fault.ts'
import { sourceConfig } from './settings.ts'
import { refuseRepeats, someText } from './usage.ts'

interface InitFlags {
  readonly source: string
  readonly output: string
  readonly force?: true
}

export function addInit(program: Command): void {
  const command = program
    .command('init')
    .summary('write a freight.config.ts from a database')
    .description('Write a freight.config.ts that lists the tables of a database, to be read and changed.')
    .requiredOption(
      '--source <url>',
      'sqlite:path, postgres://user@host/database, duckdb:path, parquet:glob or csv:glob',
      someText,
    )
    .option('--output <file>', 'the file to write', configFile, 'freight.config.ts')
    .option('--force', 'replace an existing file')
  refuseRepeats(command)
  command.action(async (flags: InitFlags) => {
    const { source } = sourceConfig(flags.source)
    const { inspectSource } = await import('../one-shot.ts')
    const tables = await inspectSource(source)
    if (tables.length === 0) throw new CommandFailure('This database has no tables; there is nothing to offer.')
    const { text, resources, undecided } = draftConfig(tables, urlFrom(source.url, flags.output))
    await write(flags, text)
    process.stderr.write(`Wrote ${flags.output} with ${resources} ${resources === 1 ? 'resource' : 'resources'}.\n`)
    if (undecided.length > 0) {
      process.stderr.write(`Say whose rows these hold (tenant: ...) before you serve it: ${undecided.join(', ')}\n`)
    }
  })
}

/** An option's parser. The file is TypeScript. */
function configFile(text: string): string {
  if (/\.m?ts$/.test(text)) return text
  throw new InvalidArgumentError('Name a file that ends in .ts.')
}

/** `sqlite:./app.db`, relative to the folder the config will stand in, so that both can be moved together. */
function urlFrom(url: string, output: string): string {
  // Only files have a place that depends on a folder.
  if (/^postgres(ql)?:/.test(url)) return url
  const at = url.indexOf(':') + 1
  const path = relative(dirname(resolve(output)), url.slice(at))
    .split(sep)
    .join('/')
  return `${url.slice(0, at)}${path.startsWith('.') ? path : `./${path}`}`
}

async function write({ output, force }: InitFlags, text: string): Promise<void> {
  try {
    // wx: also a file that appeared a moment ago is kept.
    await writeFile(output, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new CommandFailure(
      code === 'EEXIST'
        ? `"${output}" exists already; --force replaces it, --output names another file.`
        : `"${output}" cannot be written: ${message}`,
      { cause: error },
    )
  }
}
