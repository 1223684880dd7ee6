/** Freight's HTTP server on a real store and real files, but without workers: for tests of what callers meet. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { expect } from 'vitest'
import { createAuthenticator, createKey } from '../src/access/keys.ts'
import { createSealer } from '../src/access/sealed.ts'
import { createCatalog } from '../src/catalog/create-catalog.ts'
import type { ExportsContext } from '../src/exports/context.ts'
import { createLinkSigner } from '../src/exports/link.ts'
import type { Probe } from '../src/exports/probe.ts'
import { createMetrics, type Metrics } from '../src/http/metrics.ts'
import { createHttpServer, type HttpOptions } from '../src/http/server.ts'
import type { Job } from '../src/job/job.ts'
import { createLocalQueue } from '../src/queue/local-queue.ts'
import type { TableDescription } from '../src/sources/source.ts'
import { createLocalStorage } from '../src/storage/local.ts'
import type { Storage } from '../src/storage/storage.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import type { Store } from '../src/store/store.ts'
import { completionOf, newJob } from './contracts/sample-job.ts'

const DAY_MS = 86_400_000

const ORDERS: TableDescription = {
  schema: null,
  name: 'orders',
  kind: 'table',
  columns: [
    { name: 'id', type: 'integer', declaredType: 'INTEGER', nullable: false, strict: true },
    { name: 'tenant_id', type: 'text', declaredType: 'TEXT', nullable: false, strict: false },
    { name: 'status', type: 'text', declaredType: 'TEXT', nullable: true, strict: false },
  ],
  primaryKey: ['id'],
  foreignKeys: [],
}

/** Nothing is read from a source in these tests. */
const probe: Probe = {
  tables: async () => ['orders'],
  describe: async () => [ORDERS],
  count: async () => ({ rows: 3, exact: true }),
  preview: async () => ({ bytes: Buffer.from('id\n1\n'), rows: 1, fields: [{ name: 'id', type: 'integer' }], changes: [] }),
  close: async () => {},
}

export interface HttpSite {
  readonly app: FastifyInstance
  readonly store: Store
  readonly storage: Storage
  readonly context: ExportsContext
  readonly metrics: Metrics
  readonly folder: string
  /** Of tenant acme. */
  readonly key: string
  /** Of tenant globex. */
  readonly otherKey: string
  /** Every line of the log, at the most verbose level. */
  readonly logged: string[]
  /** The clock the whole site goes by; tests may set it. */
  clock: { now: Date }
  close(): Promise<void>
}

export async function openHttpSite(differences: Partial<HttpOptions> = {}): Promise<HttpSite> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-http-'))
  const clock = { now: new Date('2026-03-01T12:00:00Z') }
  const store = await openSqliteStore(join(folder, 'freight.db'))
  await store.migrate()
  const { secret: key } = await createKey(store, { tenant: 'acme', name: 'test', mode: 'live' }, clock.now)
  const { secret: otherKey } = await createKey(store, { tenant: 'globex', name: 'test', mode: 'live' }, clock.now)
  const storage = createLocalStorage(join(folder, 'files'))
  const catalog = createCatalog({
    resources: { orders: { tenant: 'tenant_id', source: 'main', table: 'orders' } },
    descriptions: new Map([['orders', ORDERS]]),
    retentionMs: 7 * DAY_MS,
  })
  const context: ExportsContext = {
    store,
    storage,
    probe,
    queue: createLocalQueue({ slots: 2, now: () => clock.now.getTime() }),
    links: createLinkSigner({ secrets: ['a secret of this test', 'the one before it'], lifetimeMs: 300_000 }),
    destinations: { sealer: createSealer(['the secret of this test'], 'destination'), refusal: () => null },
    catalog: () => catalog,
    now: () => clock.now,
    accepting: () => true,
  }
  const logged: string[] = []
  const metrics = createMetrics({ jobs: store, now: () => clock.now })
  const app = await createHttpServer({
    context,
    authenticate: createAuthenticator(store).authenticate,
    jobs: store,
    metrics,
    ready: () => true,
    log: pino({ level: 'trace' }, { write: (line) => logged.push(line) }),
    publicUrl: () => 'https://freight.example',
    requestsPerMinute: 1_000_000,
    version: '0.0.0-test',
    ...differences,
  })
  const close = async (): Promise<void> => {
    await app.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { app, store, storage, context, metrics, folder, key, otherKey, logged, clock, close }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** As acme unless the headers say otherwise. Whatever is answered has what every answer has, and a refusal gives nothing away. */
export async function ask(site: HttpSite, options: InjectOptions): Promise<LightMyRequestResponse> {
  const answer = await site.app.inject({ ...options, headers: { authorization: `Bearer ${site.key}`, ...options.headers } })
  if (answer.statusCode >= 400) {
    expect(answer.headers['content-type']).toBe('application/problem+json')
    const body: { code: string; request_id: string; detail: string } = answer.json()
    expect(body.request_id).toBe(answer.headers['x-request-id'])
    expect(body.code).toMatch(/^[A-Z_]+$/)
    expect(answer.body).not.toMatch(/node_modules|\/work\/|\.ts:|at [A-Z]\w+\.|select |FST_|SQLITE/i)
  }
  expect(answer.headers['x-request-id']).toMatch(UUID)
  expect(answer.headers['cache-control']).toBeDefined()
  return answer
}

/** A completed export of acme's with one file of these bytes. */
export async function completedExport(site: HttpSite, number: number, bytes: Buffer, name = 'orders.csv'): Promise<Job> {
  await site.store.create(newJob(number), null)
  const claimed = await site.store.claim(newJob(number).id, site.clock.now)
  if (!claimed) throw new Error('the job cannot be claimed')
  const key = `${claimed.id}/${claimed.run}/file-1`
  await site.storage.put(
    key,
    (async function* () {
      yield bytes
    })(),
    AbortSignal.timeout(10_000),
  )
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const completion = completionOf(claimed, site.clock.now, new Date(site.clock.now.getTime() + DAY_MS))
  const done = await site.store.complete(claimed.id, claimed.run, {
    ...completion,
    files: [{ key, name, resource: 'orders', rows: 1, mediaType: 'text/csv; charset=utf-8', bytes: bytes.length, sha256 }],
  })
  if (!done) throw new Error('the job cannot be completed')
  return done
}

/** Of the first file. */
export function linkTo(site: HttpSite, job: Job): string {
  return site.context.links.mint({ jobId: job.id, run: job.run, index: 1, name: job.files[0]?.name ?? '' }, site.clock.now)
}

/** Of a server that listens. */
export function portOf(app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port
}
