/** Anything thrown, as one line for the person at the terminal, and the exit code that goes with it. */
import { type ErrorCode, FreightError } from '../job/errors.ts'
import { EXIT } from './usage.ts'

/** What was asked for on the command line cannot be had: nothing was read or written. */
const ASKED_WRONGLY: ReadonlySet<ErrorCode> = new Set([
  'INVALID_REQUEST',
  'VALIDATION_FAILED',
  'RESOURCE_UNKNOWN',
  'FIELD_UNKNOWN',
  'RELATION_UNKNOWN',
  'INCLUDE_TOO_DEEP',
  'FILTER_UNKNOWN',
  'FILTER_AMBIGUOUS',
  'FILTER_VALUE_INVALID',
  'SORT_UNKNOWN',
  'LIMIT_INVALID',
  'OPTION_INVALID',
  'FORMAT_UNKNOWN',
  'COMPRESSION_UNKNOWN',
])

/** What a command itself finds wrong with the world: its message is whole and clear. */
export class CommandFailure extends Error {
  readonly exitCode: number

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandFailure'
    this.exitCode = options.exitCode ?? EXIT.failed
  }
}

/** As many allowed names as fit a line or two. */
const NAMES_SHOWN = 20

export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommandFailure) return thrown.exitCode
  if (!(thrown instanceof FreightError)) return EXIT.failed
  if (thrown.code === 'ABORTED') return EXIT.interrupted
  return ASKED_WRONGLY.has(thrown.code) ? EXIT.usage : EXIT.failed
}

/** One line without a line break; with `debug` also the stack, and those of its causes. */
export function faultText(thrown: unknown, debug: boolean): string {
  if (debug) return `error: ${stackOf(thrown)}`
  if (thrown instanceof CommandFailure) return `error: ${oneLine(thrown.message)}`
  if (thrown instanceof FreightError) return `error: ${oneLine(withReason(thrown))}${allowedText(thrown)} (${thrown.code})`
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return `error: ${oneLine(message)} (unexpected; FREIGHT_LOG_LEVEL=debug shows more)`
}

/** Nobody at a terminal has a log to look into, and what went wrong is their own. */
function withReason({ message, cause }: FreightError): string {
  return cause instanceof Error ? message.replace('the log has the reason', () => `the reason: ${cause.message}`) : message
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim()
}

/** Names that the message itself does not list. */
function allowedText({ message, details }: FreightError): string {
  const allowed = details.allowed ?? []
  if (allowed.length === 0 || allowed.every((name) => message.includes(name))) return ''
  const more = allowed.length > NAMES_SHOWN ? `, and ${allowed.length - NAMES_SHOWN} more` : ''
  return ` Allowed: ${allowed.slice(0, NAMES_SHOWN).join(', ')}${more}.`
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const code = thrown instanceof FreightError ? ` (${thrown.code})` : ''
  const own = (thrown.stack ?? thrown.message) + code
  return thrown.cause === undefined ? own : `${own}\ncaused by: ${stackOf(thrown.cause)}`
}
