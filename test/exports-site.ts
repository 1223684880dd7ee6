/** What the callers' verbs work with, on a real store, queue, catalog and files, but without workers. The clock stands still. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Principal } from '../src/access/principal.ts'
import { createSealer } from '../src/access/sealed.ts'
import { createCatalog } from '../src/catalog/create-catalog.ts'
import type { ResolvedResource } from '../src/config/resolved.ts'
import type { ExportsContext } from '../src/exports/context.ts'
import type { NewExport } from '../src/exports/create.ts'
import { createLinkSigner } from '../src/exports/link.ts'
import type { Probe } from '../src/exports/probe.ts'
import type { Job, StoredFile } from '../src/job/job.ts'
import { createLocalQueue } from '../src/queue/local-queue.ts'
import type { TableDescription } from '../src/sources/source.ts'
import { createLocalStorage } from '../src/storage/local.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import type { Store } from '../src/store/store.ts'
import { newPrincipal } from './callers.ts'
import { completionOf } from './contracts/sample-job.ts'

const DAY_MS = 86_400_000

function table(name: string, columns: Record<string, 'integer' | 'text' | 'timestamp'>): TableDescription {
  return {
    schema: null,
    name,
    kind: 'table',
    columns: Object.entries(columns).map(([column, type]) => ({
      name: column,
      type,
      declaredType: type,
      nullable: column !== 'id',
      strict: column === 'id',
    })),
    primaryKey: ['id'],
    foreignKeys: [],
  }
}

const TABLES = [
  table('orders', { id: 'integer', tenant_id: 'text', status: 'text', total_cents: 'integer', created_at: 'timestamp' }),
  table('customers', { id: 'integer', tenant_id: 'text', email: 'text' }),
  // At most 100 rows.
  table('messages', { id: 'integer', body: 'text' }),
]

const RESOURCES = {
  orders: { source: 'main', table: 'orders', tenant: 'tenant_id', hide: ['tenant_id'] },
  customers: { source: 'main', table: 'customers', tenant: 'tenant_id', hide: ['tenant_id'] },
  messages: { source: 'main', table: 'messages', tenant: 'shared', maxRows: 100 },
} satisfies Record<string, ResolvedResource>

/** Nothing is read from a source here: a probe that answers at once, so that what is made of its answers can be seen. */
const probe: Probe = {
  tables: async () => TABLES.map(({ name }) => name),
  describe: async (_source, names) => names.map((name) => TABLES.find((known) => known.name === name) ?? null),
  count: async () => ({ rows: 3, exact: true }),
  preview: async () => ({ bytes: Buffer.from('id\n1\n'), rows: 1, fields: [{ name: 'id', type: 'integer' }], changes: [] }),
  close: async () => {},
}

export interface ExportsSite {
  readonly context: ExportsContext
  readonly store: Store
  readonly folder: string
  /** Of tenant acme. */
  readonly caller: Principal
  /** Of tenant globex. */
  readonly stranger: Principal
  clock: { now: Date }
  close(): Promise<void>
}

export async function openExportsSite(
  differences: {
    probe?: Partial<Probe>
    accepting?: () => boolean
    /** What resources say otherwise, by name. */
    orders?: Partial<ResolvedResource>
    customers?: Partial<ResolvedResource>
  } = {},
): Promise<ExportsSite> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-exports-'))
  const clock = { now: new Date('2026-03-01T12:00:00.000Z') }
  const store = await openSqliteStore(join(folder, 'freight.db'))
  await store.migrate()
  const catalog = createCatalog({
    resources: {
      ...RESOURCES,
      orders: { ...RESOURCES.orders, ...differences.orders },
      customers: { ...RESOURCES.customers, ...differences.customers },
    },
    descriptions: new Map(TABLES.map((description) => [description.name, description])),
    retentionMs: 7 * DAY_MS,
  })
  const context: ExportsContext = {
    store,
    queue: createLocalQueue({ slots: 2, now: () => clock.now.getTime() }),
    storage: createLocalStorage(join(folder, 'files')),
    probe: { ...probe, ...differences.probe },
    links: createLinkSigner({ secrets: ['the secret of this test', 'the one before it'], lifetimeMs: 300_000 }),
    destinations: { sealer: createSealer(['the secret of this test'], 'destination'), refusal: () => null },
    catalog: () => catalog,
    now: () => clock.now,
    accepting: differences.accepting ?? (() => true),
  }
  const close = async (): Promise<void> => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
  const caller = newPrincipal({ id: 'aaaaaaaaaaaa', tenant: 'acme' })
  const stranger = newPrincipal({ id: 'gggggggggggg', tenant: 'globex', mode: 'test' })
  return { context, store, folder, caller, stranger, clock, close }
}

/** An export of this resource's every row, as CSV. */
export function newExport(resource: string, differences: Partial<NewExport> = {}): NewExport {
  return {
    request: {
      parts: [{ resource, fields: [], includes: [], filters: {}, sort: [], limit: null }],
      format: 'csv',
      compression: null,
      options: {},
      dryData: false,
    },
    reference: null,
    referenceOrigin: null,
    metadata: {},
    idempotency: null,
    ...differences,
  }
}

/** Runs a pending job as a worker would: claimed, its files stored, completed. `names`: of its files. */
export async function complete(site: ExportsSite, { id }: Job, names: readonly string[] = ['orders.csv']): Promise<Job> {
  const claimed = await site.store.claim(id, site.clock.now)
  if (!claimed) throw new Error('the job cannot be claimed')
  const bytes = Buffer.from('id\n1\n')
  const files: StoredFile[] = []
  for (const [index, name] of names.entries()) {
    const key = `${id}/${claimed.run}/file-${index + 1}`
    await site.context.storage.put(key, once(bytes), AbortSignal.timeout(10_000))
    files.push({ key, name, resource: 'orders', rows: 1, mediaType: 'text/csv', bytes: bytes.length, sha256: 'ab'.repeat(32) })
  }
  const completion = completionOf(claimed, site.clock.now, new Date(site.clock.now.getTime() + DAY_MS))
  const done = await site.store.complete(id, claimed.run, { ...completion, files })
  if (!done) throw new Error('the job cannot be completed')
  return done
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}
