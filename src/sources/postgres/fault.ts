/**
 * What PostgreSQL or the network says, as an error that a caller may read: never SQL, never a value, never an address. The
 * original is its `cause`. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import { type ErrorCode, FreightError } from '../../job/errors.ts'
import { whyUnreached } from './unreached.ts'

/** The code that says how a running statement was stopped for its time. */
export const QUERY_CANCELED = '57014'
export const INSUFFICIENT_PRIVILEGE = '42501'

export function sourceError(thrown: unknown, what = 'the source'): FreightError {
  if (thrown instanceof FreightError) return thrown
  const state = sqlState(thrown)
  const fail = (code: ErrorCode, message: string): FreightError => new FreightError(code, message, { cause: thrown })
  if (state === null) return fail('SOURCE_UNAVAILABLE', whyUnreached(thrown))
  const known = BY_STATE[state] ?? BY_CLASS[state.slice(0, 2)]
  if (known) return fail(known[0], known[1](what, reason(thrown, state)))
  return fail('SOURCE_FAILED', `PostgreSQL could not read the rows of ${what}: ${reason(thrown, state)} (SQLSTATE ${state}).`)
}

type Sentence = (what: string, reason: string) => string

const LOST: readonly [ErrorCode, Sentence] = [
  'SOURCE_UNAVAILABLE',
  (what, why) => `PostgreSQL ended the connection while ${what} was read: ${why}.`,
]
const CHANGED: readonly [ErrorCode, Sentence] = [
  'SOURCE_CHANGED',
  (what, why) => `${what} has changed since this export was asked for: ${why}.`,
]
const CONFLICT: readonly [ErrorCode, Sentence] = [
  'SOURCE_CONFLICT',
  (what, why) =>
    `PostgreSQL broke off the reading of ${what}: ${why}. On a replica raise max_standby_streaming_delay or set hot_standby_feedback.`,
]
const REFUSED: readonly [ErrorCode, Sentence] = [
  'SOURCE_UNAVAILABLE',
  (_what, why) =>
    /, (no encryption|SSL off)$/.test(why)
      ? 'PostgreSQL takes no connection without encryption here, or none of this user at all; try sslmode=verify-full in the address of the source.'
      : 'PostgreSQL refuses the user, password or database of the source; check its address in the configuration.',
]
const TOO_LARGE: readonly [ErrorCode, Sentence] = [
  'ROW_TOO_LARGE',
  (what) => `A row of ${what} is larger than the 1 GB that PostgreSQL can send in one piece; leave out its largest columns.`,
]

const BY_STATE: Readonly<Record<string, readonly [ErrorCode, Sentence]>> = {
  '40001': CONFLICT,
  '40P01': CONFLICT,
  '08001': ['SOURCE_UNAVAILABLE', (what, why) => `PostgreSQL did not reach the server that it reads ${what} from: ${why}.`],
  '25P03': LOST,
  '25P04': LOST,
  '57P01': LOST,
  '57P02': LOST,
  '57P03': ['SOURCE_UNAVAILABLE', (_what, why) => `PostgreSQL does not take connections now: ${why}.`],
  '57P05': LOST,
  '42P01': CHANGED,
  '42703': CHANGED,
  '3F000': CHANGED,
  [INSUFFICIENT_PRIVILEGE]: [
    'SOURCE_FAILED',
    (what, why) =>
      `The database role of the source may not read ${what}: ${why}. Grant it ${privilegeOn(why)} there, or hide what it may not see.`,
  ],
  '42704': [
    'SOURCE_FAILED',
    (what, why) =>
      why.startsWith('unrecognized configuration parameter')
        ? `A policy or function that ${what} is read through asks for a session variable: ${why}. Set it in sessionVariables of the source.`
        : `PostgreSQL could not read the rows of ${what}: ${why} (SQLSTATE 42704).`,
  ],
  '53300': ['SOURCE_UNAVAILABLE', (_what, why) => `PostgreSQL has no connection left for this export: ${why}.`],
  '54000': TOO_LARGE,
  '54011': [
    'TOO_MANY_COLUMNS',
    (what) => `PostgreSQL reads at most 1,664 columns at once; ask for fewer fields or relations of ${what}.`,
  ],
  '55P03': [
    'SOURCE_UNAVAILABLE',
    (what) => `Another session holds a lock on ${what} and did not let it go in time; try again when it is done.`,
  ],
  [QUERY_CANCELED]: ['SOURCE_UNAVAILABLE', (what, why) => `The reading of ${what} was cancelled in the database: ${why}.`],
}

const BY_CLASS: Readonly<Record<string, readonly [ErrorCode, Sentence]>> = {
  '08': LOST,
  '28': REFUSED,
  '3D': REFUSED,
}

/** What "permission denied for schema shop" asks for. */
function privilegeOn(why: string): string {
  if (/ for (schema|foreign server|type) /.test(why)) return 'USAGE'
  return / for function /.test(why) ? 'EXECUTE' : 'SELECT'
}

/** Null for what is no answer of a server. */
export function sqlState(thrown: unknown): string | null {
  const { code } = thrown instanceof Error ? (thrown as { code?: unknown }) : {}
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : null
}

/** Classes whose messages quote names of the database. In others, what stands in quotes may be a value, or a file of the server. */
const NAMING = ['08', '23', '3F', '42', '53', '54', '55', '57', 'HV']
/** Raised by the team's own functions, in words that may hold anything. */
const RAISED = 'P0'

/** PostgreSQL's own words without values (`invalid input syntax for type date: "..."`, `value "..." is out of range`). */
function reason(thrown: unknown, state: string): string {
  const message = thrown instanceof Error ? thrown.message : ''
  if (state.startsWith(RAISED)) return `a function raised an exception, whose words are in PostgreSQL's log`
  const named = message.replace(/:\s+("|0x).*$/s, '')
  const plain = NAMING.includes(state.slice(0, 2)) ? named : named.replace(/"[^"]*"/g, '"…"')
  return plain.replace(/\s+/g, ' ').slice(0, 300)
}
