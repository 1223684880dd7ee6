/** `freight serve`: the service, until it is told to stop. */
import type { Command } from 'commander'
import type { Config } from '../config/resolved.ts'
import { type AddressFlags, openLog, untilStopped, withAddress } from './serving.ts'
import { commandConfig } from './settings.ts'
import { onStopSignal } from './signals.ts'
import { refuseRepeats, someText, wholeNumber } from './usage.ts'

interface ServeFlags extends AddressFlags {
  readonly demo?: true
  readonly config?: string
}

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .summary('answer over HTTP until stopped')
    .description('Answer over HTTP until stopped. Ctrl-C or SIGTERM lets running exports finish; a second one ends at once.')
    .option('--demo', 'with a sample database, an API key and a first export')
    .option('--port <port>', 'instead of PORT (8080)', wholeNumber(0, 65_535))
    .option('--host <address>', 'instead of HOST (127.0.0.1)', someText)
    .option('--config <file>', 'instead of ./freight.config.ts', someText)
    .addHelpText('after', ENVIRONMENT_HELP)
  refuseRepeats(command)
  command.action(async (flags: ServeFlags) => {
    if (flags.demo) {
      const { serveDemo } = await import('./demo/serve-demo.ts')
      process.exitCode = await serveDemo(flags)
    } else {
      process.exitCode = await serve(flags)
    }
  })
}

const ENVIRONMENT_HELP = `
Addresses go to standard output, the log (JSON lines) to standard error.
Environment: PORT, HOST, FREIGHT_DATA (./.freight), FREIGHT_CONFIG,
  FREIGHT_SECRET, FREIGHT_SECRET_PREVIOUS, FREIGHT_PUBLIC_URL, FREIGHT_LOG_LEVEL`

async function serve(flags: ServeFlags): Promise<number> {
  const config = withAddress(await commandConfig(flags.config), flags)
  const log = await openLog(config.logLevel)
  const stop = onStopSignal()
  const { startService } = await import('../service.ts')
  const service = await startService(config, log)
  process.stdout.write(`Freight answers at ${service.url} (API: ${service.url}/docs)\n${offerText(config)}\n`)
  return untilStopped(service, stop)
}

function offerText({ resources }: Config): string {
  const names = Object.keys(resources)
  if (names.length > 0) return `Resources: ${names.join(', ')}`
  return [
    'There is no freight.config.ts here, so nothing is offered. Write one from your database, then start again:',
    '  freight init --source sqlite:path/to/your.db',
  ].join('\n')
}
