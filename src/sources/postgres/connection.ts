/** Connections to the database: made, told how to speak, and cut off. */
import pg from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { Query } from '../source.ts'
import { CopySocket } from './copy-socket.ts'
import { sourceError } from './fault.ts'
import { checkedAddress } from './unreached.ts'

/** A server that does not answer for so long is not there. */
const CONNECT_MS = 10_000
/** Of a statement beside the export: a look at the catalog, an estimate. */
const BRIEFLY_MS = 15_000
/** Statements beside an export are short; counts take most of them. */
const BESIDE = 4
/** `application_name` is cut at 63 bytes (NAMEDATALEN). */
const NAME_BYTES = 63

/** No value becomes a JavaScript one: pg's own parsers round numbers and times. */
const types = { getTypeParser: () => (text: string) => text } as pg.CustomTypesConfig

/** Rejects with SOURCE_UNAVAILABLE, or ABORTED. The connection is cut when `signal` aborts, also later. */
export async function connect(url: string, signal: AbortSignal | null): Promise<pg.Client> {
  const client = newClient(url)
  // A lost connection is told to the statement that runs; between statements the next one finds out.
  client.on('error', () => {})
  const cut = (): void => sever(client)
  signal?.addEventListener('abort', cut, { once: true })
  client.once('end', () => signal?.removeEventListener('abort', cut))
  try {
    if (signal?.aborted) throw aborted()
    await client.connect()
    return client
  } catch (thrown) {
    sever(client)
    throw signal?.aborted ? aborted() : sourceError(thrown)
  }
}

export function aborted(): FreightError {
  return new FreightError('ABORTED', 'Reading the source was stopped.')
}

/** At once, without a word to the server, which may not listen. */
export function sever(client: pg.ClientBase): void {
  const { connection } = client as unknown as { connection: pg.Connection }
  connection.stream.destroy()
}

function newClient(url: string): pg.Client {
  try {
    const config = { connectionString: checkedAddress(url), types, keepAlive: true, connectionTimeoutMillis: CONNECT_MS }
    const client = new pg.Client(config)
    // TLS reads from the socket below it by itself.
    return (client as { ssl?: unknown }).ssl ? client : new pg.Client({ ...config, stream: () => new CopySocket() })
  } catch (thrown) {
    throw sourceError(thrown)
  }
}

/** Connections for what is asked beside exports. They close when idle. */
export function createPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: checkedAddress(url),
    types,
    max: BESIDE,
    application_name: 'freight',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: BRIEFLY_MS,
    idleTimeoutMillis: 5_000,
    allowExitOnIdle: true,
  })
  pool.on('error', () => {})
  // One that is in use when it is lost would else end the process; its statement is told.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

export interface TransactionSettings {
  /** Shown to those who watch the database. */
  readonly name: string
  /** The server ends a statement after this. */
  readonly statementMs: number
  /** `server_version_num`. */
  readonly version: number
}

/** How long a lock may be waited for: DDL that waits in its turn holds up everybody behind it. */
const LOCK_MS = 5_000
/** Longer than the watchdog waits for progress, so that it acts on sessions whose process is gone. */
const IDLE_MS = 600_000

/**
 * Begins a transaction that only reads, and sets what decides how values are written as text. All of it local to the transaction, so
 * it works behind a pooler too. None of these statements takes the snapshot.
 */
export function beginStatements({ name, statementMs, version }: TransactionSettings): string {
  const settings: readonly (readonly [string, string])[] = [
    ['application_name', nameOf(name)],
    ['client_encoding', 'UTF8'],
    ['TimeZone', 'UTC'],
    ['DateStyle', 'ISO, YMD'],
    ['IntervalStyle', 'postgres'],
    ['extra_float_digits', '1'],
    ['bytea_output', 'hex'],
    ['xmlbinary', 'base64'],
    ['lc_monetary', 'C'],
    // Two exports of one table are in one order.
    ['synchronize_seqscans', 'off'],
    ['lock_timeout', String(LOCK_MS)],
    ['statement_timeout', String(statementMs)],
    ['idle_in_transaction_session_timeout', String(IDLE_MS)],
    // A statement whose client is gone ends by itself, also in the middle of a sort (from PostgreSQL 14 on).
    ...(version >= 140_000 ? [['client_connection_check_interval', '10000'] as const] : []),
  ]
  const set = settings.map(([setting, value]) => `set local ${setting} = ${pg.escapeLiteral(value)}`)
  return ['begin isolation level repeatable read read only', ...set].join('; ')
}

function nameOf(name: string): string {
  return Buffer.from(name.replace(/[^\x20-\x7e]/g, '?'))
    .subarray(0, NAME_BYTES)
    .toString()
}

/** For this transaction: what row level security asks for. */
export async function setVariables(client: pg.ClientBase, { sessionVariables = {} }: Query): Promise<void> {
  for (const [name, value] of Object.entries(sessionVariables)) {
    await client.query('select pg_catalog.set_config($1, $2, true)', [name, value])
  }
}
