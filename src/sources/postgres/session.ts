/** Sessions by the process that serves them and when it began: a number alone may by now be another's. */
import type pg from 'pg'
import { connect } from './connection.ts'
import { sourceError } from './fault.ts'

export interface Backend {
  readonly pid: number
  /** As PostgreSQL writes it, in UTC and to the microsecond. */
  readonly startedAt: string
}

const GONE_MS = 5_000
const LOOK_MS = 50

export function sessionText(backends: readonly Backend[]): string {
  return backends.map(({ pid, startedAt }) => `${pid}@${startedAt}`).join(',')
}

function readSession(session: string): Backend[] {
  return session.split(',').flatMap((text): Backend[] => {
    const [, pid, startedAt] = /^(\d+)@([0-9 :.+-]+)$/.exec(text) ?? []
    return pid === undefined || startedAt === undefined ? [] : [{ pid: Number(pid), startedAt }]
  })
}

/** Of the connection itself; the session's time zone must be UTC. */
export const BACKEND_COLUMNS = `pg_catalog.pg_backend_pid() pid,
  (select backend_start::text from pg_catalog.pg_stat_activity where pid = pg_catalog.pg_backend_pid()) started_at`

/**
 * Ends the backends and waits until they are gone: one whose client stopped reading holds its snapshot, and no timeout of the server
 * frees it (tried: `pg_cancel_backend` does nothing to it). Resolves when they are gone, also when they were before.
 */
export async function terminate(url: string, session: string): Promise<void> {
  const backends = readSession(session)
  if (backends.length === 0) return
  const client = await connect(url, AbortSignal.timeout(2 * GONE_MS))
  try {
    const values = [backends.map(({ pid }) => pid), backends.map(({ startedAt }) => startedAt)]
    await client.query(`select pg_catalog.pg_terminate_backend(a.pid) ${LIVING}`, values)
    for (const deadline = performance.now() + GONE_MS; performance.now() < deadline; ) {
      if ((await client.query(`select 1 ${LIVING}`, values)).rowCount === 0) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  } catch (thrown) {
    throw sourceError(thrown)
  } finally {
    await goodbye(client)
  }
}

const LIVING = `from pg_catalog.pg_stat_activity a join unnest($1::int[], $2::timestamptz[]) asked(pid, started_at)
  on a.pid = asked.pid and a.backend_start = asked.started_at where a.pid <> pg_catalog.pg_backend_pid()`

async function goodbye(client: pg.Client): Promise<void> {
  await client.end().catch(() => {})
}
