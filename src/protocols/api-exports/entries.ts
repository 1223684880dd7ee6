/**
 * What belongs to an export: its events, the versions of its attributes, and the stored payload of each change. All are read from what the
 * store keeps of the job; nothing is made up for the answer. Pure.
 */
import { createHash } from 'node:crypto'
import type { EventType, Job, JobEvent } from '../../job/job.ts'
import type { JobVersion, VersionedAttribute } from '../../job/version.ts'
import { askedOf, errorsLog, wireFormat, wireStatus } from './view.ts'

/** An entry of a type that clients tell by the address it came from. */
export interface Entry {
  readonly id: string
  readonly attributes: Readonly<Record<string, unknown>> & { readonly created_at: string; readonly updated_at: string }
}

const EVENT_NAMES: Readonly<Partial<Record<EventType, string>>> = {
  created: 'exports.create',
  started: 'exports.start',
  restarted: 'exports.start',
  interrupted: 'exports.interrupt',
  cancelled: 'exports.interrupt',
  completed: 'exports.complete',
  failed: 'exports.fail',
  amended: 'exports.update',
}

export const EVENT_ATTRIBUTES = ['name', 'created_at', 'updated_at', 'reference', 'reference_origin', 'metadata'] as const

/** Oldest first. Whoever starts an interrupted export sees that at once, and the claim of the run that follows is no second start. */
export function viewEvents(job: Job, events: readonly JobEvent[]): Entry[] {
  let restarted = false
  return events.flatMap((event) => {
    const name = EVENT_NAMES[event.type]
    const isSecond = event.type === 'started' && restarted
    if (name === 'exports.start' || name === 'exports.interrupt') restarted = event.type === 'restarted'
    return name === undefined || isSecond ? [] : [entry(job, 'events', event, { name })]
  })
}

export const VERSION_ATTRIBUTES = [
  'resource_type',
  'resource_id',
  'event',
  'changes',
  'who',
  'created_at',
  'updated_at',
  'reference',
  'reference_origin',
  'metadata',
] as const

/** Oldest first. */
export function viewVersions(job: Job, versions: readonly JobVersion[], typeOf: (resource: string) => string): Entry[] {
  return changed(job, versions, typeOf).map(({ version, changes }) =>
    entry(job, 'versions', version.event, { ...subject(job, version), changes, who: who(job, version) }),
  )
}

export const EVENT_STORE_ATTRIBUTES = VERSION_ATTRIBUTES.map((name) => (name === 'changes' ? 'payload' : name))

/** Oldest first. */
export function viewEventStores(job: Job, versions: readonly JobVersion[], typeOf: (resource: string) => string): Entry[] {
  return changed(job, versions, typeOf).map(({ version, changes }) =>
    entry(job, 'event_stores', version.event, { ...subject(job, version), payload: changes, who: who(job, version) }),
  )
}

function subject(job: Job, { event }: JobVersion) {
  return { resource_type: 'exports', resource_id: job.shortId, event: event.type === 'created' ? 'create' : 'update' }
}

type Changes = Readonly<Record<string, readonly [unknown, unknown]>>

/** In this protocol's words; a change of something that it has no word for is none. */
function changed(job: Job, versions: readonly JobVersion[], typeOf: (resource: string) => string) {
  return versions.flatMap((version) => {
    const changes = { ...changesOf(version, typeOf), ...(version.event.type === 'created' ? asked(job) : {}) }
    return Object.keys(changes).length === 0 ? [] : [{ version, changes }]
  })
}

/** What is said once, at the creation: the store keeps no versions of what nothing can change. */
function asked(job: Job): Changes {
  return Object.fromEntries(Object.entries(askedOf(job)).map(([name, value]) => [name, [null, value]]))
}

function changesOf({ changes }: JobVersion, typeOf: (resource: string) => string): Changes {
  const told: [string, readonly [unknown, unknown]][] = []
  for (const [attribute, pair] of Object.entries(changes)) {
    const [name, read] = wireAttribute(attribute as VersionedAttribute, typeOf) ?? []
    if (name === undefined || read === undefined || pair === undefined) continue
    const [before, after] = pair.map((value) => (value === null && name !== 'errors_log' ? null : read(value)))
    if (JSON.stringify(before) !== JSON.stringify(after)) told.push([name, [before, after]])
  }
  return Object.fromEntries(told)
}

type Reader = (value: unknown) => unknown
const asItIs: Reader = (value) => value

function wireAttribute(attribute: VersionedAttribute, typeOf: (resource: string) => string): readonly [string, Reader] | null {
  switch (attribute) {
    case 'status':
      return ['status', (value) => wireStatus(value as Job['status'])]
    case 'resource':
      return ['resource_type', (value) => typeOf(String(value))]
    case 'format':
      return ['format', (value) => wireFormat(String(value))]
    case 'total':
      return ['records_count', asItIs]
    case 'error':
      return ['errors_log', (value) => errorsLog(value as Job['error'])]
    case 'interrupted_at':
    case 'cancelled_at':
      return ['interrupted_at', asItIs]
    case 'reference':
    case 'reference_origin':
    case 'metadata':
    case 'started_at':
    case 'completed_at':
      return [attribute, asItIs]
    default:
      return null
  }
}

/** A caller by its id; Freight's own worker where a run made the change; null where it was not kept. */
function who(job: Job, { event }: JobVersion): Readonly<Record<string, unknown>> | null {
  const by = event.data.by ?? (event.type === 'created' ? job.createdBy : null)
  if (typeof by === 'string') return { application: { id: by, kind: 'integration', public: false } }
  return BY_CALLERS.has(event.type) ? null : { worker: { name: 'freight', attempt: event.run } }
}

const BY_CALLERS: ReadonlySet<EventType> = new Set<EventType>(['interrupted', 'restarted', 'cancelled', 'amended'])

function entry(job: Job, type: string, { seq, at }: JobEvent, attributes: Readonly<Record<string, unknown>>): Entry {
  const stamp = at.toISOString()
  const common = { created_at: stamp, updated_at: stamp, reference: null, reference_origin: null, metadata: {} }
  return { id: entryId(job.id, type, seq), attributes: { ...attributes, ...common } }
}

const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 10 characters like every id of this protocol, and always the same for the same entry. */
function entryId(jobId: string, type: string, seq: number): string {
  const hash = createHash('sha256').update(`${type} ${jobId} ${seq}`).digest()
  return Array.from(hash.subarray(0, 10), (byte) => BASE_62[byte % BASE_62.length]).join('')
}
