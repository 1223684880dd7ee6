/**
 * The tables as Kysely sees them. Times are ISO 8601 text in UTC with milliseconds (they sort as text, on every engine and
 * collation, because all have the same width), JSON is text, yes and no are 1 and 0, so that the same code runs on SQLite and PostgreSQL.
 */
import type { Generated, Selectable } from 'kysely'
import type { EventType, JobStatus, Mode } from '../job/job.ts'

interface JobsTable {
  id: string
  short_id: string
  tenant: string
  mode: Mode
  created_by: string
  status: JobStatus
  run: number
  failures: number
  available_at: string | null
  request: string
  spec: string
  processed: number
  total: number | null
  total_is_estimate: number
  rows_per_second: number | null
  reached: number
  progress_at: string
  session: string | null
  results: string | null
  error: string | null
  errors_log: string
  files: string
  manifest: string | null
  reference: string | null
  reference_origin: string | null
  metadata: string
  /** Of the first part; every part's stands in `job_resources`. */
  resource: string
  format: string
  protocol: string | null
  protocol_data: string
  exclusive: string | null
  /** What decides who of the tenant may see it: `job/rights.ts`. */
  rights: string
  created_at: string
  updated_at: string
  started_at: string | null
  completed_at: string | null
  failed_at: string | null
  interrupted_at: string | null
  cancelled_at: string | null
  expires_at: string | null
  files_removed_at: string | null
}

/** One row per job and resource in it: a job may have several parts, and each can be asked for. */
interface JobResourcesTable {
  tenant: string
  resource: string
  job_id: string
}

interface EventsTable {
  seq: Generated<number>
  job_id: string
  type: EventType
  at: string
  run: number
  data: string
}

interface VersionsTable {
  event_seq: number
  job_id: string
  changes: string
}

interface IdempotencyTable {
  tenant: string
  key: string
  fingerprint: string
  job_id: string
  expires_at: string
}

interface ApiKeysTable {
  id: string
  tenant: string
  name: string
  mode: Mode
  hash: string
  created_at: string
  revoked_at: string | null
  scopes: string | null
  claims: string | null
}

interface AuditTable {
  seq: Generated<number>
  at: string
  tenant: string
  action: string
  actor: string
  address: string | null
  job_id: string | null
  data: string
}

/** One row per tenant and day, `2026-01-31`. */
interface UsageTable {
  tenant: string
  day: string
  rows: number
  bytes: number
}

interface KeptSecretsTable {
  id: string
  purpose: string
  public: string | null
  sealed: string
  created_at: string
}

interface TemplatesTable {
  tenant: string
  kind: string
  id: string
  name: string
  content: string
  created_at: string
  updated_at: string | null
}

interface NoticesTable {
  seq: Generated<number>
  id: string
  webhook: string
  topic: string
  tenant: string
  job_id: string
  document: string
  attempts: number
  due_at: string
  created_at: string
}

export interface Tables {
  jobs: JobsTable
  job_resources: JobResourcesTable
  events: EventsTable
  versions: VersionsTable
  idempotency: IdempotencyTable
  api_keys: ApiKeysTable
  audit: AuditTable
  usage: UsageTable
  kept_secrets: KeptSecretsTable
  templates: TemplatesTable
  notices: NoticesTable
}

export type JobRow = Selectable<JobsTable>
export type TemplateRow = Selectable<TemplatesTable>
export type NoticeRow = Selectable<NoticesTable>
export type EventRow = Selectable<EventsTable>
export type ApiKeyRow = Selectable<ApiKeysTable>
