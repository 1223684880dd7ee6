/** The command line: which commands there are, and how each ends. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addAudit } from './audit.ts'
import { addExport } from './export.ts'
import { exitCodeOf, faultText } from './fault.ts'
import { addInit } from './init.ts'
import { addKeys } from './keys.ts'
import { addMigrate } from './migrate.ts'
import { addServe } from './serve.ts'
import { EXIT } from './usage.ts'
import { addVerify } from './verify.ts'

/** package.json stands two folders above this file, in a checkout and in the package. */
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

function createProgram(): Command {
  const program = new Command('freight')
    .description('Data exports from your database: ask for rows, watch progress, hold the file.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this; after a command, its own help')
    .helpCommand(false)
    .showHelpAfterError('(--help shows what is possible)')
    .exitOverride()
  for (const add of [addServe, addExport, addInit, addKeys, addMigrate, addAudit, addVerify]) add(program)
  return program
}

async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT.done
  } catch (error) {
    // commander has said what was wrong; help and version are thrown too, with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    process.stderr.write(`${faultText(error, process.env.FREIGHT_LOG_LEVEL === 'debug')}\n`)
    return exitCodeOf(error)
  }
}

// A reader that goes away (`| head`) is no fault of the command's; what to do then is decided where the writing is done.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
process.exit(await run(process.argv.slice(2)))
