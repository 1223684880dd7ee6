/**
 * The composition root: from a configuration to a running service or the operator's records. Beside `one-shot.ts`, which does
 * without a service, nobody else puts rooms together.
 */
import { readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { createAuthentication, loadMaskKey } from './access/authentication.ts'
import { createKey, type NewKey } from './access/keys.ts'
import { loadSecrets } from './access/secrets.ts'
import type { Config } from './config/resolved.ts'
import { createDeliveries } from './deliveries.ts'
import type { ExportsContext } from './exports/context.ts'
import { createLinkSigner } from './exports/link.ts'
import { type LiveCatalog, startLiveCatalog } from './exports/live-catalog.ts'
import type { Probe } from './exports/probe.ts'
import { runRefusal } from './exports/run-refusal.ts'
import { createMetrics, type Metrics } from './http/metrics.ts'
import { createHttpServer, listen } from './http/server.ts'
import { quotaOf } from './job/limits.ts'
import { createParts, type Parts, type PartsConfig } from './parts.ts'
import { configuredNotify, configuredProtocols, configuredWebhooks } from './protocols/configured.ts'
import { createLocalQueue } from './queue/local-queue.ts'
import { acquireServerLock } from './store/server-lock.ts'
import { openSqliteStore } from './store/sqlite-store.ts'
import type { ApiKey, AuditEntry, AuditFilter, Store } from './store/store.ts'
import { startUpkeep } from './upkeep/upkeep.ts'
import { usualPatience } from './webhooks/patience.ts'
import { startSender } from './webhooks/sender.ts'
import { createProbe } from './worker/probe.ts'
import { createRunThreads } from './worker/run-threads.ts'
import { createWorker, type ExportWorker } from './worker/worker.ts'

export interface Service {
  /** The address it answers at, without a trailing slash. */
  readonly url: string
  /** Where a completed export's files lie on this machine; for the person at the terminal only. */
  locate(jobId: string): Promise<readonly string[]>
  /** Drains: no new claims, running exports finish within the grace or go back to the queue; resolves when all is down. */
  stop(): Promise<void>
}

/** Rejects with ALREADY_RUNNING, PORT_TAKEN, CONFIG_INVALID or SOURCE_UNAVAILABLE; then nothing is left running. */
export async function startService(config: Config, log: Logger): Promise<Service> {
  // What has been started, in order; undone backwards, at the stop and when the start fails half-way.
  const undo = new AsyncDisposableStack()
  try {
    return await compose(config, log, undo)
  } catch (error) {
    await undo.disposeAsync()
    throw error
  }
}

async function compose(config: Config, log: Logger, undo: AsyncDisposableStack): Promise<Service> {
  const now = (): Date => new Date()
  const { store, secrets } = await openRecords(config, undo)
  const sourced = { ...config, maskKey: await loadMaskKey(store, secrets, now()) }
  const parts = createParts(sourced)
  undo.defer(() => parts.close())
  const probe = createProbe(sourced, log)
  undo.defer(() => probe.close())
  const catalog = await startLiveCatalog(config, probe, log)
  undo.defer(() => catalog.stop())
  const state = { isDraining: false, url: '' }
  const own = { store, secrets, parts, probe, catalog, now }
  const context = composeContext(config, own, () => !state.isDraining)
  const shared = { store, secrets, context, log, metrics: createMetrics({ jobs: store, now }) }
  const worker = composeWorker(sourced, shared, parts, undo)
  const publicUrl = (): string => config.publicUrl ?? state.url
  const app = await composeServer(config, shared, publicUrl)
  undo.defer(() => app.close())
  await worker.start()
  const upkeep = startUpkeep({ store, storage: parts.storage, now, auditMs: config.auditMs, log })
  undo.defer(() => upkeep.stop())
  state.url = await listen(app, { host: config.host, port: config.port })
  // Only now: what it sends holds links, which begin with the address.
  const webhooks = configuredWebhooks(config.protocols, { context, publicUrl, keys: store })
  const sender = await startSender({ store, webhooks, patience: usualPatience(Math.random), now, log })
  undo.defer(() => sender.stop())

  let stopping: Promise<void> | null = null
  const stop = async (): Promise<void> => {
    state.isDraining = true
    log.info('draining')
    await worker.drain()
    await undo.disposeAsync()
    log.info('stopped')
  }
  return {
    url: state.url,
    async locate(jobId) {
      const job = await store.find(jobId)
      return (job?.files ?? []).flatMap((file) => parts.storage.locate(file.key) ?? [])
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** Records of this process alone, brought up to date. */
async function openRecords(config: Config, undo: AsyncDisposableStack): Promise<{ store: Store; secrets: readonly string[] }> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const lock = acquireServerLock(config.dataDir)
  undo.defer(() => lock.release())
  await emptyTempFolder(config)
  const store = await openSqliteStore(storePath(config), configuredNotify(config.protocols))
  undo.defer(() => store.close())
  await store.migrate()
  return { store, secrets: loadSecrets(config) }
}

/** What the callers' verbs work with. */
function composeContext(
  config: Config,
  own: { store: Store; secrets: readonly string[]; parts: Parts; probe: Probe; catalog: LiveCatalog; now: () => Date },
  accepting: () => boolean,
): ExportsContext {
  const { store, secrets, parts, probe, catalog, now } = own
  return {
    store,
    queue: createLocalQueue({
      slots: config.concurrency,
      now: () => Date.now(),
      running: (tenant) => quotaOf(config.limits, tenant).running,
    }),
    storage: parts.storage,
    probe,
    links: createLinkSigner({ secrets, lifetimeMs: config.linkMs }),
    destinations: createDeliveries(config),
    catalog: () => catalog.current(),
    now,
    accepting,
    limits: (tenant) => quotaOf(config.limits, tenant),
  }
}

/** What the worker and the HTTP server of a process share. */
interface Shared {
  readonly store: Store
  readonly secrets: readonly string[]
  readonly context: ExportsContext
  readonly metrics: Metrics
  readonly log: Logger
}

function composeWorker(
  config: Config & PartsConfig,
  { store, context, metrics, log }: Shared,
  parts: Parts,
  undo: AsyncDisposableStack,
): ExportWorker {
  const threads = createRunThreads(config)
  undo.defer(() => threads.close())
  return createWorker({
    config,
    store,
    queue: context.queue,
    storage: parts.storage,
    threads,
    log,
    now: context.now,
    random: Math.random,
    observe: (report) => metrics.observeRun(report),
    endSession: (source, session) => parts.source(source).endSession(session),
    refusal: (job) => runRefusal(context, store, job),
  })
}

function composeServer(config: Config, { store, secrets, context, metrics, log }: Shared, publicUrl: () => string) {
  const authentication = createAuthentication({
    store,
    secrets,
    issuers: config.issuers,
    tokenMs: config.tokenMs,
    publicUrl,
    now: context.now,
    onRefusal: (issuer, error) => log.info({ issuer, reason: String(error) }, 'a token was refused'),
  })
  return createHttpServer({
    context,
    authenticate: authentication.authenticate,
    oauth: { ...authentication, audit: store },
    refusals: { store },
    tenantRequestsPerMinute: (tenant) => quotaOf(config.limits, tenant).requestsPerMinute,
    jobs: store,
    metrics,
    ready: context.accepting,
    log,
    publicUrl,
    protocols: configuredProtocols(config.protocols, { context, publicUrl }),
    requestsPerMinute: config.requestsPerMinute,
    version: packageVersion(),
  })
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return String(version)
}

function storePath(config: Config): string {
  return join(config.dataDir, 'freight.db')
}

/** Private copies and sorts of a run that died; this process is alone in the folder. */
async function emptyTempFolder(config: Config): Promise<void> {
  await rm(join(config.dataDir, 'tmp'), { recursive: true, force: true })
  await mkdir(join(config.dataDir, 'tmp'), { recursive: true, mode: 0o700 })
}

/** The operator's records: works beside a running server. */
export interface Administration {
  createKey(input: NewKey): Promise<{ key: ApiKey; secret: string }>
  listKeys(tenant: string | null): Promise<readonly ApiKey[]>
  /** False when there is no such key. */
  revokeKey(id: string): Promise<boolean>
  /** Who did what; oldest first. */
  audit(filter: AuditFilter): Promise<readonly AuditEntry[]>
  migrate(): Promise<readonly string[]>
  migrations(): Promise<readonly { name: string; appliedAt: Date | null }[]>
  close(): Promise<void>
}

export async function openAdministration(config: Config): Promise<Administration> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  const store = await openSqliteStore(storePath(config))
  return {
    async createKey(input) {
      await store.migrate()
      const made = await createKey(store, input, new Date())
      await auditKey(store, made.key.tenant, 'key_created', made.key.id)
      return made
    },
    async listKeys(tenant) {
      await store.migrate()
      return store.listKeys(tenant)
    },
    async revokeKey(id) {
      await store.migrate()
      const found = await store.findKey(id)
      const revoked = await store.revokeKey(id, new Date())
      if (found && found.key.revokedAt === null) await auditKey(store, found.key.tenant, 'key_revoked', id)
      return revoked
    },
    audit: (filter) => store.audit(filter),
    migrate: () => store.migrate(),
    migrations: () => store.migrations(),
    close: () => store.close(),
  }
}

function auditKey(store: Store, tenant: string, action: string, id: string): Promise<void> {
  const actor = { by: 'operator', from: null }
  return store.addAudit({ at: new Date(), tenant, action, actor, exportId: null, data: { key: id } })
}
