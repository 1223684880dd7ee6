/** The store on Kysely: which function of this room answers which call, in a transaction or not, and who is woken after it. */
import type { Kysely, Transaction } from 'kysely'
import type { Notify } from '../job/notice.ts'
import { amendJob } from './amendments.ts'
import { pruneAudit, readAudit, writeAudit } from './audit.ts'
import type { Engine } from './engine.ts'
import { addEvent, eventsAfter } from './events.ts'
import { JobChanges } from './job-changes.ts'
import { jobByShortId, rightsAmong, searchJobs } from './job-search.ts'
import { createJob, getJob, listJobs, moveByCaller, recallJob, removeJob } from './jobs.ts'
import { deleteSecret, insertSecret, resealSecret, secretsFor } from './kept-secrets.ts'
import { allKeys, insertKey, keyById, revokeKey } from './keys.ts'
import { applyMigrations, listMigrations, refuseNewerSchema } from './migrate.ts'
import { claimNotices, postponeNotice, pruneNotices, recallNotices, removeNotice, returnNotice, type Writing } from './notices.ts'
import { patiently } from './patience.ts'
import {
  countByStatus,
  expiredJobs,
  findJob,
  knownJobs,
  oldestPendingAt,
  pruneIdempotency,
  recordFilesRemoved,
} from './retention.ts'
import {
  claimJob,
  completeJob,
  failJob,
  giveBackJob,
  pendingJobs,
  retryJob,
  unfinishedRuns,
  writeFiles,
  writeProgress,
  writeSession,
} from './runs.ts'
import type { CallersTerms, Store } from './store.ts'
import type { Tables } from './tables.ts'
import { allTemplates, deleteTemplate, insertTemplate, templateById, updateTemplate } from './templates.ts'
import { pruneUsage, usageOn } from './usage.ts'
import { versionsOf } from './versions.ts'

type Call<K extends keyof Store> = Store[K]

/** What is done without a caller is Freight's own doing: not audited, not limited. */
const NOBODY: CallersTerms = { actor: null, limits: null }

export class KyselyStore implements Store {
  #db: Kysely<Tables>
  #engine: Engine
  #notify: Notify
  #changes = new JobChanges()

  /** `db` is closed with the store. */
  constructor(db: Kysely<Tables>, engine: Engine, notify: Notify) {
    this.#db = db
    this.#engine = engine
    this.#notify = notify
  }

  create: Call<'create'> = (job, idempotency, terms = NOBODY) =>
    this.#move(job.id, (writing) => createJob(writing, job, idempotency, terms))
  recall: Call<'recall'> = (tenant, idempotency, now) => this.#ask((db) => recallJob(db, tenant, idempotency, now))
  get: Call<'get'> = (tenant, id) => this.#ask((db) => getJob(db, tenant, id))
  getByShortId: Call<'getByShortId'> = (tenant, shortId) => this.#ask((db) => jobByShortId(db, tenant, shortId))
  search: Call<'search'> = (tenant, search) => this.#ask((db) => searchJobs({ db, engine: this.#engine }, tenant, search))
  rights: Call<'rights'> = (tenant, page) => this.#ask((db) => rightsAmong(db, tenant, page))
  list: Call<'list'> = (tenant, filter, page) => this.#ask((db) => listJobs(db, tenant, filter, page))
  remove: Call<'remove'> = (tenant, id, actor = null, at = new Date()) =>
    this.#move(id, (writing) => removeJob(writing, tenant, id, { actor, at }))
  interrupt: Call<'interrupt'> = (tenant, id, now, actor = null) =>
    this.#move(id, (writing) => moveByCaller(writing, 'interrupt', tenant, id, now, { actor, limits: null }))
  cancel: Call<'cancel'> = (tenant, id, now, actor = null) =>
    this.#move(id, (writing) => moveByCaller(writing, 'cancel', tenant, id, now, { actor, limits: null }))
  start: Call<'start'> = (tenant, id, now, terms = NOBODY) =>
    this.#move(id, (writing) => moveByCaller(writing, 'start', tenant, id, now, terms))
  amend: Call<'amend'> = (tenant, id, amendment, now, actor = null) =>
    this.#change(id, (tx) => amendJob(tx, { id, tenant }, amendment, now, actor))
  versions: Call<'versions'> = (jobId) => this.#ask((db) => versionsOf(db, jobId))
  events: Call<'events'> = (jobId, afterSeq) => this.#ask((db) => eventsAfter(db, jobId, afterSeq))
  addEvent: Call<'addEvent'> = (jobId, type, at, data, actor = null) =>
    this.#change(jobId, (tx) => addEvent(tx, jobId, { type, at, data, actor }))
  changed: Call<'changed'> = (jobId, ms, signal) => this.#changes.next(jobId, ms, signal)

  claim: Call<'claim'> = (id, now) => this.#move(id, (writing) => claimJob(writing, id, now))
  setSession: Call<'setSession'> = (id, run, session) => this.#write(id, (db) => writeSession(db, { id, run }, session))
  progress: Call<'progress'> = (id, run, progress) => this.#write(id, (db) => writeProgress(db, { id, run }, progress))
  files: Call<'files'> = (id, run, files) => this.#write(id, (db) => writeFiles(db, { id, run }, files))
  complete: Call<'complete'> = (id, run, completion) => this.#move(id, (writing) => completeJob(writing, { id, run }, completion))
  fail: Call<'fail'> = (id, run, error, errorsLog, now) =>
    this.#move(id, (writing) => failJob(writing, { id, run }, error, errorsLog, now))
  retry: Call<'retry'> = (id, run, error, availableAt, now) =>
    this.#move(id, (writing) => retryJob(writing, { id, run }, error, availableAt, now))
  giveBack: Call<'giveBack'> = (id, run, now) => this.#move(id, (writing) => giveBackJob(writing, { id, run }, now))
  pending: Call<'pending'> = () => this.#ask(pendingJobs)
  inProgress: Call<'inProgress'> = () => this.#ask(unfinishedRuns)

  expired: Call<'expired'> = (now, limit) => this.#ask((db) => expiredJobs(db, now, limit))
  filesRemoved: Call<'filesRemoved'> = (id, now) => this.#change(id, (tx) => recordFilesRemoved(tx, id, now))
  known: Call<'known'> = (ids) => this.#ask((db) => knownJobs(db, ids))
  find: Call<'find'> = (id) => this.#ask((db) => findJob(db, id))
  pruneIdempotency: Call<'pruneIdempotency'> = (now) => this.#ask((db) => pruneIdempotency(db, now))
  countByStatus: Call<'countByStatus'> = () => this.#ask(countByStatus)
  oldestPendingAt: Call<'oldestPendingAt'> = () => this.#ask(oldestPendingAt)

  addKey: Call<'addKey'> = (key, hash) => this.#ask((db) => insertKey(db, key, hash))
  findKey: Call<'findKey'> = (id) => this.#ask((db) => keyById(db, id))
  listKeys: Call<'listKeys'> = (tenant) => this.#ask((db) => allKeys(db, tenant))
  revokeKey: Call<'revokeKey'> = (id, now) => this.#ask((db) => revokeKey(db, id, now))

  audit: Call<'audit'> = (filter) => this.#ask((db) => readAudit(db, filter))
  addAudit: Call<'addAudit'> = (entry) => this.#ask((db) => writeAudit(db, entry))
  pruneAudit: Call<'pruneAudit'> = (before) => this.#ask((db) => pruneAudit(db, before))
  usage: Call<'usage'> = (tenant, at) => this.#ask((db) => usageOn(db, tenant, at))
  pruneUsage: Call<'pruneUsage'> = (now) => this.#ask((db) => pruneUsage(db, now))

  keepSecret: Call<'keepSecret'> = (secret) => this.#ask((db) => insertSecret(db, secret))
  secrets: Call<'secrets'> = (purpose) => this.#ask((db) => secretsFor(db, purpose))
  reseal: Call<'reseal'> = (id, sealed) => this.#ask((db) => resealSecret(db, id, sealed))
  dropSecret: Call<'dropSecret'> = (id) => this.#ask((db) => deleteSecret(db, id))

  addTemplate: Call<'addTemplate'> = (place, template, terms) =>
    this.#together((tx) => insertTemplate(tx, place, template, terms))
  templates: Call<'templates'> = (place) => this.#ask((db) => allTemplates(db, place))
  template: Call<'template'> = (place, id) => this.#ask((db) => templateById(db, place, id))
  changeTemplate: Call<'changeTemplate'> = (place, id, change, done) =>
    this.#together((tx) => updateTemplate(tx, place, id, change, done))
  removeTemplate: Call<'removeTemplate'> = (place, id, done) => this.#together((tx) => deleteTemplate(tx, place, id, done))

  claimNotices: Call<'claimNotices'> = (webhook, claim) => this.#ask((db) => claimNotices(db, webhook, claim))
  removeNotice: Call<'removeNotice'> = (id) => this.#ask((db) => removeNotice(db, id))
  postponeNotice: Call<'postponeNotice'> = (id, dueAt) => this.#ask((db) => postponeNotice(db, id, dueAt))
  returnNotice: Call<'returnNotice'> = (id, now) => this.#ask((db) => returnNotice(db, id, now))
  recallNotices: Call<'recallNotices'> = (now) => this.#ask((db) => recallNotices(db, now))
  pruneNotices: Call<'pruneNotices'> = (before) => this.#ask((db) => pruneNotices(db, before))

  migrate: Call<'migrate'> = () => this.#ask((db) => applyMigrations(db, this.#engine))
  migrations: Call<'migrations'> = () => this.#ask((db) => listMigrations(db, this.#engine))

  /** Throws CONFIG_INVALID for the records of a newer Freight. */
  refuseNewerSchema(): Promise<void> {
    return this.#ask((db) => refuseNewerSchema(db, this.#engine))
  }

  async close(): Promise<void> {
    this.#changes.wakeAll()
    await this.#db.destroy()
  }

  /** One statement, or reads only: it needs no transaction of its own. */
  #ask<T>(question: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return patiently(this.#engine, () => question(this.#db))
  }

  async #write<T>(jobId: string, write: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    const result = await this.#ask(write)
    this.#changes.wake(jobId)
    return result
  }

  /** All of it or nothing. */
  #change<T>(jobId: string, change: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#write(jobId, (db) => db.transaction().execute(change))
  }

  /** The same for what others are told of. */
  #move<T>(jobId: string, move: (writing: Writing) => Promise<T>): Promise<T> {
    return this.#change(jobId, (tx) => move({ tx, notify: this.#notify }))
  }

  /** The same for what belongs to no job. */
  #together<T>(change: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#ask((db) => db.transaction().execute(change))
  }
}
