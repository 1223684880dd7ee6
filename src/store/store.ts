/**
 * The store keeps records: jobs, events, keys, idempotency, the audit, what tenants have used and saved, sealed secrets, what webhooks are to be told. It alone writes a job's `status`, each change together with its
 * event in one transaction. `test/contracts/store.ts` is the proof of an engine.
 *
 * `run` is the fencing token: every write of a run carries it, and a write with an old one, or on a job that is no longer
 * in progress, changes nothing and resolves with null. That ends the run.
 *
 * Everything a caller reads is asked for with its tenant: another tenant's id is answered exactly like an unknown one.
 * When the database is held by someone else for longer than its budget, calls reject with STORE_BUSY; when it has no space left, writes
 * reject with STORAGE_FULL. Either way nothing was changed.
 */
import type { PlainError } from '../job/errors.ts'
import type { Actor, EventType, Job, JobEvent, JobStatus, Mode, Progress, StoredFile } from '../job/job.ts'
import type { Manifest } from '../job/manifest.ts'
import type { Notice } from '../job/notice.ts'
import type { JobSearch } from '../job/search.ts'
import type { LogEntry, Results } from '../job/tally.ts'
import type { JobVersion } from '../job/version.ts'

/** A job as it is created: everything else starts at nothing. */
export type NewJob = Pick<
  Job,
  | 'id'
  | 'shortId'
  | 'tenant'
  | 'mode'
  | 'createdBy'
  | 'request'
  | 'spec'
  | 'progress'
  | 'reference'
  | 'referenceOrigin'
  | 'metadata'
  | 'protocol'
  | 'protocolData'
  | 'createdAt'
> & {
  /** Of the tenant's jobs with the same text here only one is pending, in progress or interrupted at a time; null for no such rule. */
  readonly exclusive?: string | null
  /** `create` rejects with TOO_MANY_ACTIVE while so many of the tenant's jobs of the same protocol are pending or in progress. */
  readonly maxActive?: number
}

export interface IdempotencyRecord {
  readonly key: string
  /** Of the request's meaning: equal bodies with another key order have the same. */
  readonly fingerprint: string
  /** Before this instant an equal key counts as the same request. */
  readonly expiresAt: Date
}

export interface JobFilter {
  readonly status?: JobStatus | 'expired'
  readonly resource?: string
  readonly reference?: string
}

export interface JobRights {
  readonly rights: string
  readonly spec: Job['spec']
}

export interface JobPage {
  readonly jobs: readonly Job[]
  /** Id of the last job of the page when more follow, else null. */
  readonly nextBefore: string | null
}

/** What may be changed in a job that exists; what is absent stays. */
export type Amendment = Partial<Pick<Job, 'reference' | 'referenceOrigin' | 'metadata'>>

export interface ApiKey {
  /** 12 characters of `a-z0-9`; part of the key itself, so a leaked key can be found. */
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly mode: Mode
  readonly createdAt: Date
  readonly revokedAt: Date | null
  /** What it may do; `job/scopes.ts` says how they are read. */
  readonly scopes: readonly string[]
  /** What row scopes go by, as a token's claims: `{ "region": 3 }`. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Null: no limit. Days are those of UTC. */
export interface TenantLimits {
  /** Jobs that wait to run. */
  readonly waiting: number | null
  /** Rows and bytes of completed exports. */
  readonly rowsPerDay: number | null
  readonly bytesPerDay: number | null
}

/** On whose behalf a job is added, and how far they may go; beyond it the call rejects with RATE_LIMITED and nothing is stored. */
export interface CallersTerms {
  readonly actor: Actor | null
  readonly limits: TenantLimits | null
}

export interface DayUsage {
  readonly rows: number
  readonly bytes: number
}

export interface NewAuditEntry {
  readonly at: Date
  readonly tenant: string
  /** An event's type (`created`, `linked`, ...), `removed`, or another word for what no event tells. */
  readonly action: string
  readonly actor: Actor
  readonly exportId: string | null
  /** Small plain data; never row data, never a secret. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface AuditEntry extends NewAuditEntry {
  /** Grows by the order of writing. */
  readonly seq: number
}

/** Null: whatever it is. */
export interface AuditFilter {
  readonly tenant: string | null
  readonly exportId: string | null
  readonly since: Date | null
  readonly afterSeq: number
  readonly limit: number
}

/** A secret of Freight's own, as it rests: sealed. `public` is what may be shown of it. */
export interface KeptSecret {
  readonly id: string
  readonly purpose: string
  readonly public: string | null
  readonly sealed: string
  readonly createdAt: Date
}

/** Whose, and of which kind: a word of whoever gives the content its meaning. */
export interface TemplatePlace {
  readonly tenant: string
  readonly kind: string
}

/** What a tenant saved for later requests. */
export interface Template {
  /** Unique among those of its place. */
  readonly id: string
  readonly name: string
  /** Plain data. */
  readonly content: Readonly<Record<string, unknown>>
  readonly createdAt: Date
  /** Null while it is as it was saved. */
  readonly updatedAt: Date | null
}

/** Who did it and when, for the audit. */
export interface DoneBy {
  readonly at: Date
  readonly actor: Actor
}

/** Of an ended run; `errorsLog` is also kept of a failed one. */
export interface Completion {
  readonly results: Results
  readonly errorsLog: readonly LogEntry[]
  readonly files: readonly StoredFile[]
  readonly manifest: Manifest
  readonly progress: Progress
  readonly completedAt: Date
  readonly expiresAt: Date
}

/** The jobs. */
export interface JobStore {
  /**
   * Durable before it resolves. With an idempotency record whose key the tenant has used before: `created` is false and `job` is
   * the earlier one, or `job` is null when the fingerprints differ (IDEMPOTENCY_MISMATCH to the caller). Of simultaneous calls one creates.
   * Rejects with EXPORT_ACTIVE where another job is in the way of `exclusive`, as `start` does.
   */
  create(job: NewJob, idempotency: IdempotencyRecord | null, terms?: CallersTerms): Promise<{ job: Job | null; created: boolean }>
  /** What `create` would answer without creating: null when the key is unused or its time is up. */
  recall(tenant: string, idempotency: IdempotencyRecord, now: Date): Promise<{ job: Job | null } | null>
  get(tenant: string, id: string): Promise<Job | null>
  getByShortId(tenant: string, shortId: string): Promise<Job | null>
  /**
   * Newest first; `before` is an id that an earlier page ended with. `expired` are the completed ones whose `expiresAt` has come by
   * `now`, and `completed` only the others. `resource` finds a job by any of its parts.
   */
  list(tenant: string, filter: JobFilter, page: { limit: number; before: string | null; now: Date }): Promise<JobPage>
  /** One page of what fits, and how many fit in all. */
  search(tenant: string, search: JobSearch): Promise<{ jobs: readonly Job[]; total: number }>
  /** The kinds of rights (`job/rights.ts`) among a tenant's jobs, in order from beyond `after`, each with the spec of one such job. */
  rights(tenant: string, page: { after: string; limit: number }): Promise<readonly JobRights[]>
  /** Removes the record with its events and idempotency records. Null when unknown. Throws EXPORT_ACTIVE while pending or in progress. Resolves with the job as it was. */
  remove(tenant: string, id: string, actor?: Actor | null, at?: Date): Promise<Job | null>

  /**
   * Interrupting what is interrupted, and cancelling what is cancelled, resolves with the job unchanged. Any other move that does not
   * fit rejects with TRANSITION_ILLEGAL. Null when unknown.
   */
  interrupt(tenant: string, id: string, now: Date, actor?: Actor | null): Promise<Job | null>
  cancel(tenant: string, id: string, now: Date, actor?: Actor | null): Promise<Job | null>
  /** Back to pending: failures, error, errors log, results, progress and times start anew (a known total stays, as an estimate); `run` stays. */
  start(tenant: string, id: string, now: Date, terms?: CallersTerms): Promise<Job | null>
  /** Whatever its status. Null when unknown; unchanged, and without an event, where nothing would be different. */
  amend(tenant: string, id: string, amendment: Amendment, now: Date, actor?: Actor | null): Promise<Job | null>

  /** Events of one job after `afterSeq`, oldest first. */
  events(jobId: string, afterSeq: number): Promise<readonly JobEvent[]>
  /** What changed in it, oldest first; a job from before this was kept has no creation in it. */
  versions(jobId: string): Promise<readonly JobVersion[]>
  /** A fact beside the status. Of an unknown job nothing is written. */
  addEvent(jobId: string, type: EventType, at: Date, data: Record<string, unknown>, actor?: Actor | null): Promise<void>
  /**
   * Resolves when this process has written to the job, after `ms` at the latest, or when aborted: a hint to read again, so that
   * waiting clients need no polling of their own.
   */
  changed(jobId: string, ms: number, signal: AbortSignal): Promise<void>
}

/** The writes of a run. `interrupt`, `cancel` and `start` above answer illegal moves with TRANSITION_ILLEGAL; these with null. */
export interface RunStore {
  /** pending to in progress, `run` and `failures` plus one. Null when it is no longer pending. */
  claim(id: string, now: Date): Promise<Job | null>
  /** What `Source.endSession` takes; kept so that a takeover can end it. */
  setSession(id: string, run: number, session: string | null): Promise<Job | null>
  /** `processed` never goes backwards within a run. */
  progress(id: string, run: number, progress: Progress): Promise<Job | null>
  /**
   * The files of a run that are whole while it goes on, all of them each time. They are the job's until the run ends in any way but
   * `complete`, which gives its own; then the job has none.
   */
  files(id: string, run: number, files: readonly StoredFile[]): Promise<Job | null>
  complete(id: string, run: number, completion: Completion): Promise<Job | null>
  /** For good. */
  fail(id: string, run: number, error: PlainError, errorsLog: readonly LogEntry[], now: Date): Promise<Job | null>
  /** A fault: back to pending, not before `availableAt`. */
  retry(id: string, run: number, error: PlainError, availableAt: Date, now: Date): Promise<Job | null>
  /** An orderly drain: back to pending, the failure counted at claim handed back. */
  giveBack(id: string, run: number, now: Date): Promise<Job | null>

  /** Of every tenant: pending jobs (for the queue at start), oldest first. */
  pending(): Promise<readonly WaitingJob[]>
  /** Of every tenant: jobs whose run died with its process. Only for a process that knows it is alone. */
  inProgress(): Promise<readonly { job: Job; session: string | null }[]>
}

export interface WaitingJob {
  readonly id: string
  readonly tenant: string
  readonly availableAt: Date | null
  readonly createdAt: Date
}

/** For the sweeper and for `/metrics`. */
export interface UpkeepStore {
  /** Completed jobs whose files have expired and not been removed, at most `limit`. */
  expired(now: Date, limit: number): Promise<readonly Job[]>
  /** The bytes are gone: notes when, with the event `expired`. Only of a completed job, and only once. */
  filesRemoved(id: string, now: Date): Promise<void>
  /** Where these jobs stand, by id; an id that is missing is of no job. */
  known(ids: readonly string[]): Promise<ReadonlyMap<string, KnownJob>>
  /** The job of any tenant; for upkeep and for signed links, which carry their own permission. */
  find(id: string): Promise<Job | null>
  pruneIdempotency(now: Date): Promise<void>
  countByStatus(): Promise<Readonly<Record<JobStatus, number>>>
  /** Since when the longest waiting job has been pending. */
  oldestPendingAt(): Promise<Date | null>
}

/** What decides whether a stored object still belongs to a job. */
export type KnownJob = Pick<Job, 'status' | 'run' | 'filesRemovedAt'>

export interface KeyStore {
  /** `hash`: of the whole secret key; the key itself is never stored. */
  addKey(key: ApiKey, hash: string): Promise<void>
  /** Revoked ones too. */
  findKey(id: string): Promise<{ key: ApiKey; hash: string } | null>
  listKeys(tenant: string | null): Promise<readonly ApiKey[]>
  /** False when there is no such key; repeated calls keep the first date. */
  revokeKey(id: string, now: Date): Promise<boolean>
}

export interface AuditStore {
  /** Oldest first. */
  audit(filter: AuditFilter): Promise<readonly AuditEntry[]>
  /** For what no event tells. Calls above that are given an actor write their own entry, in the same transaction. */
  addAudit(entry: NewAuditEntry): Promise<void>
  pruneAudit(before: Date): Promise<void>
  /** Of completed exports on the day of `at`. */
  usage(tenant: string, at: Date): Promise<DayUsage>
  pruneUsage(now: Date): Promise<void>
}

export interface SecretStore {
  /** An id that is taken keeps what it has. */
  keepSecret(secret: KeptSecret): Promise<void>
  /** Newest first. */
  secrets(purpose: string): Promise<readonly KeptSecret[]>
  reseal(id: string, sealed: string): Promise<void>
  dropSecret(id: string): Promise<void>
}

/** Each change is audited in the same transaction. */
export interface TemplateStore {
  /** False, and nothing is saved, where there are `most` already. */
  addTemplate(place: TemplatePlace, template: Template, terms: { most: number; actor: Actor }): Promise<boolean>
  /** Oldest first. */
  templates(place: TemplatePlace): Promise<readonly Template[]>
  template(place: TemplatePlace, id: string): Promise<Template | null>
  /** Null when unknown. */
  changeTemplate(
    place: TemplatePlace,
    id: string,
    change: Pick<Template, 'name' | 'content'>,
    done: DoneBy,
  ): Promise<Template | null>
  /** False when unknown. */
  removeTemplate(place: TemplatePlace, id: string, done: DoneBy): Promise<boolean>
}

/**
 * What webhooks are still to be told. A notice is written in the transaction of the change that it tells of, by whatever `notify` the store was
 * opened with, and stays when the job is removed.
 */
export interface NoticeStore {
  /**
   * Due ones of one webhook, the longest due first, and of each job only the oldest that there is. An attempt is counted at the claim, and none
   * is due again before `until`: whoever dies with one has it tried again.
   */
  claimNotices(webhook: string, claim: { now: Date; until: Date; limit: number }): Promise<readonly Notice[]>
  /** It was told, or never will be. */
  removeNotice(id: string): Promise<void>
  /** Not again before `dueAt`. */
  postponeNotice(id: string, dueAt: Date): Promise<void>
  /** An attempt that was broken off in order: due at once, and not counted. */
  returnNotice(id: string, now: Date): Promise<void>
  /** All are due at once, also those claimed. Only for a process that knows it is alone. */
  recallNotices(now: Date): Promise<void>
  /** Those written before; how many they were. */
  pruneNotices(before: Date): Promise<number>
}

export interface Store extends JobStore, RunStore, UpkeepStore, KeyStore, AuditStore, SecretStore, TemplateStore, NoticeStore {
  /** Brings the schema up to date; safe to call from several processes at once. Names of what was applied. */
  migrate(): Promise<readonly string[]>
  /** Names and state of every migration. */
  migrations(): Promise<readonly { name: string; appliedAt: Date | null }[]>
  close(): Promise<void>
}
