/**
 * Wire protocols on the real HTTP server, store and files, over a real socket, but without workers: what a job has come to is written
 * into the store as a run writes it. The clock stands still.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { createAuthenticator, createKey } from '../src/access/keys.ts'
import { createSealer } from '../src/access/sealed.ts'
import { createCatalog } from '../src/catalog/create-catalog.ts'
import type { ResolvedResource } from '../src/config/resolved.ts'
import type { ExportsContext } from '../src/exports/context.ts'
import { createLinkSigner } from '../src/exports/link.ts'
import type { Probe } from '../src/exports/probe.ts'
import { createMetrics } from '../src/http/metrics.ts'
import { createHttpServer, type HttpOptions, listen } from '../src/http/server.ts'
import type { Job, JobStatus, StoredFile } from '../src/job/job.ts'
import type { CellType } from '../src/job/row-text.ts'
import type { ProtocolSite as MountSite, Protocol } from '../src/protocols/protocol.ts'
import { createLocalQueue } from '../src/queue/local-queue.ts'
import type { TableDescription } from '../src/sources/source.ts'
import { createLocalStorage } from '../src/storage/local.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import type { NewJob, Store } from '../src/store/store.ts'
import { completionOf, fault, newJob, newRequest } from './contracts/sample-job.ts'

const DAY_MS = 86_400_000

/** The first column is the primary key; `tenant_id` says whose a row is. */
export type Tables = Readonly<Record<string, Readonly<Record<string, CellType>>>>

/** Of an export in a v1-exports answer, and of one in a JSON:API document. */
interface WireExport {
  readonly id: string
  readonly status: string
  readonly row_count?: number
  readonly created_at: string
  readonly attributes: { readonly status: string; readonly processed_count: number; readonly attachment_url: string | null }
}

/** Of every protocol as much as its tests look into by name; the strict schemas beside them say what is really there. */
interface WireBody {
  readonly id: string
  readonly code: string
  readonly status: string
  readonly progress: { readonly processed: number }
  readonly message: string
  readonly detail: string
  readonly developerMessage: string
  readonly request_id: string
  readonly downloadUrl: string
  readonly processedItems: number
  readonly error: { readonly code: string; readonly message: string }
  readonly errors: unknown
  readonly meta: { readonly request_id: string }
  readonly data: WireExport & readonly WireExport[]
}

export interface WireAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed JSON; undefined where there is none. */
  readonly body: WireBody
}

export interface WireRequest {
  readonly method?: string
  /** Text is sent as it stands, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A job as it is to stand; what is left out is a sample's. */
export interface Given {
  readonly number: number
  readonly status: JobStatus
  readonly resource: string
  readonly differences?: Partial<NewJob>
  /** Of each file, where completed. */
  readonly bytes?: Buffer
  /** How many files, where completed; default 1. */
  readonly files?: number
}

export interface ProtocolSite {
  readonly url: string
  readonly store: Store
  readonly context: ExportsContext
  /** Of tenant acme. */
  readonly key: string
  /** Of tenant globex. */
  readonly otherKey: string
  clock: { now: Date }
  /** What a count answers; null for "not in time". */
  rows: { count: number | null }
  /** With acme's key unless the headers say otherwise. Redirects are not followed. */
  ask(path: string, request?: WireRequest): Promise<WireAnswer>
  /** Also through the own API, which answers beside every protocol. */
  given(job: Given): Promise<Job>
  stored(): Promise<readonly Job[]>
  close(): Promise<void>
}

export async function openProtocolSite(options: {
  tables: Tables
  /** Of each table, what its resource says beside its tenant. */
  resources?: Readonly<Record<string, Partial<ResolvedResource>>>
  protocols: (site: MountSite) => Protocol[]
  http?: Partial<HttpOptions>
  probe?: Partial<Probe>
  accepting?: () => boolean
}): Promise<ProtocolSite> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-protocol-'))
  const clock = { now: new Date('2026-03-01T12:00:00.000Z') }
  const rows: { count: number | null } = { count: 3 }
  const store = await openSqliteStore(join(folder, 'freight.db'))
  await store.migrate()
  const { secret: key } = await createKey(store, { tenant: 'acme', name: 'test', mode: 'live' }, clock.now)
  const { secret: otherKey } = await createKey(store, { tenant: 'globex', name: 'test', mode: 'live' }, clock.now)
  const catalog = catalogOf(options.tables, options.resources ?? {})
  const context: ExportsContext = {
    store,
    queue: createLocalQueue({ slots: 2, now: () => clock.now.getTime() }),
    storage: createLocalStorage(join(folder, 'files')),
    probe: {
      tables: async () => [],
      describe: async () => [],
      count: async () => ({ rows: rows.count, exact: rows.count !== null }),
      preview: async () => ({ bytes: Buffer.alloc(0), rows: 0, fields: [], changes: [] }),
      close: async () => {},
      ...options.probe,
    },
    links: createLinkSigner({ secrets: ['the secret of this test'], lifetimeMs: 300_000 }),
    destinations: { sealer: createSealer(['the secret of this test'], 'destination'), refusal: () => null },
    catalog: () => catalog,
    now: () => clock.now,
    accepting: options.accepting ?? (() => true),
  }
  let url = ''
  const publicUrl = (): string => url
  const app = await createHttpServer({
    context,
    authenticate: createAuthenticator(store).authenticate,
    jobs: store,
    metrics: createMetrics({ jobs: store, now: () => clock.now }),
    ready: () => true,
    log: pino({ level: 'silent' }),
    publicUrl,
    protocols: options.protocols({ context, publicUrl }),
    requestsPerMinute: 1_000_000,
    version: '0.0.0-test',
    ...options.http,
  })
  await listen(app, { host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const site: ProtocolSite = {
    url,
    store,
    context,
    key,
    otherKey,
    clock,
    rows,
    ask: (path, request) => ask(`${url}${path}`, key, request),
    given: (job) => give(site, job),
    stored: async () => (await store.list('acme', {}, { limit: 1_000, before: null, now: clock.now })).jobs,
    async close() {
      await app.close()
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return site
}

function catalogOf(tables: Tables, differences: Readonly<Record<string, Partial<ResolvedResource>>>) {
  const described = Object.entries(tables).map(([name, columns]): [string, TableDescription] => [
    name,
    describeTable(name, columns),
  ])
  const resources = Object.fromEntries(
    described.map(([name]): [string, ResolvedResource] => [
      name,
      { source: 'main', table: name, tenant: 'tenant_id', ...differences[name] },
    ]),
  )
  return createCatalog({ resources, descriptions: new Map(described), retentionMs: 7 * DAY_MS })
}

function describeTable(name: string, columns: Readonly<Record<string, CellType>>): TableDescription {
  const [primaryKey = ''] = Object.keys(columns)
  return {
    schema: null,
    name,
    kind: 'table',
    columns: Object.entries(columns).map(([column, type]) => ({
      name: column,
      type,
      declaredType: type,
      nullable: column !== primaryKey,
      strict: false,
    })),
    primaryKey: [primaryKey],
    foreignKeys: [],
  }
}

async function ask(url: string, key: string, { method = 'GET', body, headers = {} }: WireRequest = {}): Promise<WireAnswer> {
  const sent: Record<string, string> = { authorization: `Bearer ${key}`, ...headers }
  if (headers['x-api-key'] !== undefined || headers.authorization === '') delete sent.authorization
  if (body !== undefined) sent['content-type'] ??= 'application/json'
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const answer = await fetch(url, { method, headers: sent, redirect: 'manual', ...init })
  const text = await answer.text()
  const isJson = /json/.test(answer.headers.get('content-type') ?? '') && text !== ''
  return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

async function give(site: ProtocolSite, given: Given): Promise<Job> {
  const { number, status, resource, differences = {} } = given
  const { store } = site
  const job = newJob(number, { request: newRequest(resource), ...differences })
  const now = site.clock.now
  const { job: created } = await store.create(job, null)
  if (status === 'pending') return found(created)
  if (status === 'interrupted') return found(await store.interrupt(job.tenant, job.id, now))
  if (status === 'cancelled') return found(await store.cancel(job.tenant, job.id, now))
  const claimed = found(await store.claim(job.id, now))
  if (status === 'in_progress') return claimed
  if (status === 'failed') return found(await store.fail(job.id, claimed.run, fault, [], now))
  const completion = completionOf(claimed, now, new Date(now.getTime() + 7 * DAY_MS))
  return found(await store.complete(job.id, claimed.run, { ...completion, files: await storeFiles(site, claimed, given) }))
}

async function storeFiles({ context }: ProtocolSite, { id, run }: Job, given: Given): Promise<StoredFile[]> {
  const { resource, bytes = Buffer.from('id\n1\n'), files = 1 } = given
  const stored: StoredFile[] = []
  for (let number = 1; number <= files; number += 1) {
    const key = `${id}/${run}/file-${number}`
    await context.storage.put(key, once(bytes), AbortSignal.timeout(10_000))
    stored.push({
      key,
      name: files === 1 ? `${resource}.csv` : `${resource}-${number}.csv`,
      resource,
      rows: 1,
      mediaType: 'text/csv; charset=utf-8',
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })
  }
  return stored
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

function found(job: Job | null): Job {
  if (!job) throw new Error('the job cannot be brought to this status')
  return job
}
