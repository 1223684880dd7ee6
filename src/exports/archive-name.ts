/** What the archive of an export's files is called. */
import type { Job } from '../job/job.ts'

/** `orders-2026-01-31.zip`. */
export function archiveName(job: Pick<Job, 'spec' | 'createdAt'>): string {
  const [first] = job.spec.parts
  const named = job.spec.parts.length === 1 && first ? first.resource.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 100) : 'export'
  return `${named}-${job.createdAt.toISOString().slice(0, 10)}.zip`
}
