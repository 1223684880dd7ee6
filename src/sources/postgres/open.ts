/** Opens the transaction that an export reads in, and those beside it that see the same snapshot. */
import type pg from 'pg'
import type { Query, Snapshot } from '../source.ts'
import { aborted, beginStatements, connect, setVariables, sever } from './connection.ts'
import { PostgresDialect } from './dialect.ts'
import { withDocuments } from './documents.ts'
import { KnownTables, loadFacts, nameOf } from './facts.ts'
import { sourceError } from './fault.ts'
import { LiteralBinder, literal } from './literals.ts'
import { lockByPlanning, lockTables } from './locks.ts'
import { setMaskKey } from './masks.ts'
import type { PartPlan } from './part-plan.ts'
import { planPart } from './plan.ts'
import { type Bench, tablesTouched } from './relations.ts'
import { BACKEND_COLUMNS, type Backend } from './session.ts'
import { PostgresSnapshot, type SnapshotOptions } from './snapshot.ts'

/** A run that nobody gave a longest time ends within a day. */
const MAX_MS = 24 * 60 * 60 * 1000

export async function openSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { query, signal } = options
  const client = await connect(options.url, signal)
  try {
    const { tables, version, isValidText } = await lookUp(client, query)
    const bench: Bench = { tables, dialect: new PostgresDialect(tables, version), binder: new LiteralBinder(), isValidText }
    const typed = withDocuments(tables, query)
    const plans = typed.parts.map((part) => planPart(bench, part, query.layout))
    const begin = beginStatements({ name: `freight ${query.job ?? ''}`.trim(), statementMs: query.maxMs ?? MAX_MS, version })
    await client.query(begin)
    const unlocked = await lockTables(client, tables)
    await setVariables(client, query)
    await setMaskKey(client, query.parts, options.maskKey)
    const { rows } = await client.query<SnapshotRow>(SNAPSHOT_SQL)
    const [row] = rows
    if (!row) throw new Error('a select without a table gave no row')
    await lockByPlanning(client, unlocked)
    const join = `${begin}; set transaction snapshot ${literal(row.id)}`
    const helpers = await openHelpers(options, plans, join)
    // The first connection only holds the snapshot while others read.
    if (helpers.length > 0) await client.query('set local idle_in_transaction_session_timeout = 0')
    const backends = [backendOf(row), ...helpers.map(({ backend }) => backend)]
    const readers = helpers.map((helper) => helper.client)
    return new PostgresSnapshot(
      { ...options, query: typed },
      { client, readers, backends, plans, join, takenAt: new Date(Number(row.taken_ms)) },
    )
  } catch (thrown) {
    sever(client)
    throw signal.aborted ? aborted() : sourceError(thrown, namesOf(query))
  }
}

interface Helper {
  readonly client: pg.Client
  readonly backend: Backend
}

/** Where a part can be read by ranges: as many connections as are to read, in transactions of their own that see this snapshot. */
async function openHelpers(
  { url, query, signal, parallel, maskKey }: SnapshotOptions,
  plans: readonly PartPlan[],
  join: string,
): Promise<Helper[]> {
  if (parallel < 2 || !plans.some(({ cut }) => cut !== null)) return []
  const opened = await Promise.allSettled(
    Array.from({ length: parallel }, async (): Promise<Helper> => {
      const client = await connect(url, signal)
      await client.query(join)
      await setVariables(client, query)
      await setMaskKey(client, query.parts, maskKey)
      const { rows } = await client.query<BackendRow>(`select ${BACKEND_COLUMNS}`)
      if (!rows[0]) throw new Error('a select without a table gave no row')
      return { client, backend: backendOf(rows[0]) }
    }),
  )
  const failed = opened.find((each) => each.status === 'rejected')
  const helpers = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  if (!failed) return helpers
  for (const { client } of helpers) sever(client)
  throw failed.reason
}

interface BackendRow {
  readonly pid: string
  readonly started_at: string
}

interface SnapshotRow extends BackendRow {
  readonly id: string
  readonly taken_ms: string
}

function backendOf({ pid, started_at }: BackendRow): Backend {
  return { pid: Number(pid), startedAt: started_at }
}

const SNAPSHOT_SQL = `select pg_catalog.pg_export_snapshot() id, ${BACKEND_COLUMNS},
  pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp()) * 1000)::int8 taken_ms`

async function lookUp(client: pg.Client, query: Query): Promise<{ tables: KnownTables; version: number; isValidText: boolean }> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    `select pg_catalog.current_setting('server_version_num') as version, pg_catalog.current_setting('server_encoding') as encoding`,
  )
  const tables = new KnownTables(await loadFacts(client, tablesTouched(query.parts)))
  return { tables, version: Number(rows[0]?.version), isValidText: rows[0]?.encoding !== 'SQL_ASCII' }
}

function namesOf({ parts }: Query): string {
  return [...new Set(parts.map(({ table }) => nameOf(table)))].join(', ')
}
