/** What machines ask: is the process alive, may it be sent requests, what are its figures. */
import type { FastifyInstance } from 'fastify'
import { FreightError } from '../job/errors.ts'
import type { Storage } from '../storage/storage.ts'
import type { UpkeepStore } from '../store/store.ts'
import type { Metrics } from './metrics.ts'

export interface HealthOptions {
  /** False while draining. */
  ready(): boolean
  readonly jobs: Pick<UpkeepStore, 'oldestPendingAt'>
  readonly storage: Pick<Storage, 'check'>
  readonly metrics: Metrics
  now(): Date
}

const STORAGE_CHECK_MS = 5_000
const CHECK_TIMEOUT_MS = 2_000
const config = { unlimited: true, quiet: true }

export function healthRoutes(app: FastifyInstance, options: HealthOptions): void {
  const checkStorage = checkedOnce(() => options.storage.check(), options.now)
  const schema = { hide: true }
  app.get('/healthz', { config, schema }, async () => ({ status: 'ok' }))
  app.get('/readyz', { config, schema }, async () => {
    if (!options.ready() || app.closing.aborted)
      throw new FreightError('SHUTTING_DOWN', 'The server is stopping and takes nothing new.')
    await answers(options.jobs.oldestPendingAt(), new FreightError('STORE_BUSY', 'The job store does not answer.'))
    await answers(checkStorage(), new FreightError('STORAGE_UNAVAILABLE', 'The storage cannot be written to.'))
    return { status: 'ready' }
  })
  app.get('/metrics', { config, schema }, async (_request, reply) => {
    reply.type(options.metrics.contentType)
    return options.metrics.text()
  })
}

/** Rejects with `refusal` when the check rejects or takes too long; what went wrong is its cause. */
async function answers(check: Promise<unknown>, refusal: FreightError): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS)
  })
  try {
    await Promise.race([check, late])
  } catch (cause) {
    throw new FreightError(refusal.code, refusal.message, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** The check writes to the storage: its outcome is kept a while, and simultaneous callers share one. */
function checkedOnce(check: () => Promise<void>, now: () => Date): () => Promise<void> {
  let last: { at: number; outcome: Promise<void> } | undefined
  return () => {
    if (!last || now().getTime() - last.at >= STORAGE_CHECK_MS) last = { at: now().getTime(), outcome: check() }
    return last.outcome
  }
}
