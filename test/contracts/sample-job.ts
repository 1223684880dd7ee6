/** A job as the callers create it, and what a run ends with; for tests that need one and do not care which. */
import type { Job } from '../../src/job/job.ts'
import type { Completion, NewJob, Store } from '../../src/store/store.ts'
import { MACHINE } from './row-text.ts'

/** Seconds after the first sample job was created. */
export const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1) + seconds * 1000)
export const fault = { code: 'SOURCE_FAILED', message: 'The source went away.' } as const

/** UUIDv7 with a number for its time, so that ids sort as the numbers do. */
export function jobId(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-0000-7000-8000-000000000000`
}

/** Distinct for distinct numbers, and later for greater ones. */
export function newJob(number: number, differences: Partial<NewJob> = {}): NewJob {
  const createdAt = at(number)
  return {
    id: jobId(number),
    shortId: number.toString().padStart(10, '0'),
    tenant: 'acme',
    mode: 'live',
    createdBy: 'key1',
    request: newRequest('orders'),
    spec: {
      source: 'main',
      parts: [
        {
          resource: 'orders',
          table: { schema: null, name: 'orders' },
          kind: 'table',
          primaryKey: ['id'],
          select: [
            { kind: 'field', name: 'id', column: 'id', type: 'integer', key: true, hidden: false, strict: true, position: 0 },
          ],
          where: null,
          scope: { op: 'eq', column: 'tenant_id', type: 'text', value: { type: 'text', text: 'acme' } },
          sort: [],
          limit: null,
          maxRows: null,
        },
      ],
      format: 'csv',
      compression: null,
      output: MACHINE,
      retentionMs: 1000,
    },
    progress: { processed: 0, total: 120, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: createdAt },
    reference: null,
    referenceOrigin: null,
    metadata: {},
    protocol: null,
    protocolData: {},
    createdAt,
    ...differences,
  }
}

export function newRequest(...resources: string[]): Job['request'] {
  return {
    parts: resources.map((resource) => ({ resource, fields: ['id'], includes: [], filters: {}, sort: [], limit: null })),
    format: 'csv',
    compression: null,
    options: {},
    dryData: false,
  }
}

export function completionOf(job: Pick<Job, 'id' | 'run'>, completedAt: Date, expiresAt: Date): Completion {
  const file = { name: 'orders.csv', resource: 'orders', rows: 120, bytes: 12, sha256: 'ab'.repeat(32) }
  return {
    results: { successful: 118, warnings: 2, errors: 0 },
    errorsLog: [{ resource: 'orders', row: 7, key: '7', column: 'note', what: 'invalid UTF-8 was replaced' }],
    files: [{ ...file, key: `${job.id}/${job.run}/orders.csv`, mediaType: 'text/csv' }],
    manifest: {
      version: 1,
      export: job.id,
      run: job.run,
      format: 'csv',
      compression: null,
      output: newJob(0).spec.output,
      snapshotAt: completedAt.toISOString(),
      files: [file],
      fields: [{ resource: 'orders', name: 'id', type: 'integer' }],
      changes: [{ resource: 'orders', column: 'note', cause: 'invalid_utf8', cells: 2 }],
    },
    progress: { processed: 120, total: 120, totalIsEstimate: false, rowsPerSecond: null, reached: 0, at: completedAt },
    completedAt,
    expiresAt,
  }
}

/** A stored job that is in progress. */
export async function claimed(store: Store, number: number, differences: Partial<NewJob> = {}): Promise<Job> {
  await store.create(newJob(number, differences), null)
  return found(await store.claim(jobId(number), at(number + 1)))
}

export async function completed(store: Store, number: number, expiresAt: Date, differences: Partial<NewJob> = {}): Promise<Job> {
  const job = await claimed(store, number, differences)
  return found(await store.complete(job.id, job.run, completionOf(job, at(number + 2), expiresAt)))
}

export function found<T>(value: T | null): T {
  if (value === null) throw new Error('expected a job, got null')
  return value
}

export async function eventTypes(store: Store, id: string): Promise<string[]> {
  return (await store.events(id, 0)).map((event) => event.type)
}
