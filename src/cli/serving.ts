/** What `freight serve` and `freight serve --demo` share. */
import { openSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Config } from '../config/resolved.ts'
import type { Service } from '../service.ts'
import { aborted, type StopSignal } from './signals.ts'
import { EXIT } from './usage.ts'

/** Flags that stand in for PORT and HOST. */
export interface AddressFlags {
  readonly port?: number
  readonly host?: string
}

export function withAddress(config: Config, { port, host }: AddressFlags): Config {
  return { ...config, port: port ?? config.port, host: host ?? config.host }
}

/** JSON lines on standard error, or added to a file in a folder that is there. A reader that is gone or a full disk stops the log, not the service. */
export async function openLog(level: string, file?: string): Promise<Logger> {
  // Loaded here: commands without a log are there 12 ms sooner.
  const { destination, pino } = await import('pino')
  // Opened here and now: a process that ends before its log is open would end with a complaint about that.
  const target = destination(file === undefined ? 2 : openSync(file, 'a'))
  target.on('error', () => {})
  const log = pino({ level }, target)
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an unexpected fault ended the process')
    process.exit(EXIT.failed)
  })
  return log
}

/** Resolves with the exit code when the service has been told to stop and is down. */
export async function untilStopped(service: Service, stop: StopSignal): Promise<number> {
  await aborted(stop.signal)
  process.stdout.write('\nStopping: running exports may finish; a second Ctrl-C ends them at once.\n')
  await service.stop()
  return EXIT.done
}
