/** From the wire to what a caller asks for: the body of POST /v1/exports, an id, a key. Pure. */
import type { NewExport } from '../../exports/create.ts'
import { FreightError } from '../../job/errors.ts'
import { didYouMean } from '../../job/suggestion.ts'
import { isAfter, readInstant } from './instants.ts'
import type { Messages } from './messages.ts'

const STATUSES = ['queued', 'delivering', 'succeeded', 'pending_retry', 'failed_permanent'] as const
const DIRECTIONS = ['outbound', 'inbound'] as const
type Direction = (typeof DIRECTIONS)[number]

/** What was asked for, as the answers show it. Plain data: it is kept with the job. A type, since an interface is no Record. */
export type AskedFilters = {
  readonly start_time: string
  readonly end_time: string
  readonly direction: Direction
  readonly status?: string
  /** The UUID within `ep_...`. */
  readonly endpoint_id?: string
  readonly inbound_endpoint_id?: string
}

const MEMBERS = ['start_time', 'end_time', 'status', 'endpoint_id', 'direction', 'inbound_endpoint_id']
const READ_ONLY = 'id project_id row_count file_size_bytes error_message started_at completed_at expires_at created_at'.split(' ')
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Throws VALIDATION_FAILED. A member that is null counts as not given. */
export function readFilters(body: unknown): AskedFilters {
  const members = readMembers(body)
  const start = readTime(members, 'start_time')
  const end = readTime(members, 'end_time')
  if (!isAfter(end, start)) throw refusal('end_time', 'end_time must be after start_time')
  const direction = readChoice(members, 'direction', DIRECTIONS) ?? 'outbound'
  const status = readChoice(members, 'status', STATUSES)
  const endpoint = readEndpoint(members, direction)
  const inbound = readInbound(members, direction)
  return {
    start_time: start,
    end_time: end,
    direction,
    ...(status === undefined ? {} : { status }),
    ...(endpoint === undefined ? {} : { endpoint_id: endpoint }),
    ...(inbound === undefined ? {} : { inbound_endpoint_id: inbound }),
  }
}

type Members = ReadonlyMap<string, unknown>

function readMembers(body: unknown): Members {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw refusal('', 'The body must be a JSON object')
  for (const name of Object.keys(body)) {
    if (MEMBERS.includes(name)) continue
    const shown = name.slice(0, 100)
    if (READ_ONLY.includes(name)) throw refusal(shown, `${shown} is set by the server and cannot be sent`)
    throw refusal(shown, `${shown} is not known here.${didYouMean(name, MEMBERS)}`, MEMBERS)
  }
  return new Map(Object.entries(body).filter(([, value]) => value !== null))
}

function readTime(members: Members, name: string): string {
  const value = members.get(name)
  if (value === undefined) throw refusal(name, `${name} is required`)
  const instant = typeof value === 'string' ? readInstant(value) : null
  if (instant === null) throw refusal(name, `${name} must be an RFC 3339 date-time, such as 2025-12-01T00:00:00Z`)
  return instant
}

function readChoice<Choice extends string>(members: Members, name: string, choices: readonly Choice[]): Choice | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  const choice = choices.find((known) => known === value)
  if (choice === undefined) throw refusal(name, `${name} must be one of ${choices.join(', ')}`, choices)
  return choice
}

function readEndpoint(members: Members, direction: Direction): string | undefined {
  const value = members.get('endpoint_id')
  if (value === undefined) return undefined
  const hex = typeof value === 'string' ? /^ep_([0-9a-f]{32})$/i.exec(value)?.[1]?.toLowerCase() : undefined
  if (hex === undefined) throw refusal('endpoint_id', 'endpoint_id must be in format ep_xxx')
  if (direction !== 'outbound') throw refusal('endpoint_id', 'endpoint_id can be used only with direction outbound')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function readInbound(members: Members, direction: Direction): string | undefined {
  const value = members.get('inbound_endpoint_id')
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !UUID.test(value)) throw refusal('inbound_endpoint_id', 'inbound_endpoint_id must be a UUID')
  if (direction !== 'inbound') throw refusal('inbound_endpoint_id', 'inbound_endpoint_id can be used only with direction inbound')
  return value.toLowerCase()
}

function refusal(name: string, message: string, allowed?: readonly string[]): FreightError {
  const details = { pointer: name === '' ? '' : `/${name}`, ...(allowed ? { allowed } : {}) }
  return new FreightError('VALIDATION_FAILED', message, { details })
}

/** From start_time on, and before end_time, so that spans that follow each other share no message. */
export function readExport(asked: AskedFilters, { resource, fields, columns }: Messages): Omit<NewExport, 'idempotency'> {
  const filters = {
    [`${fields.time}_gteq`]: asked.start_time,
    [`${fields.time}_lt`]: asked.end_time,
    [`${fields.direction}_eq`]: asked.direction,
    ...(asked.status === undefined ? {} : { [`${fields.status}_eq`]: asked.status }),
    ...(asked.endpoint_id === undefined ? {} : { [`${fields.endpoint}_eq`]: asked.endpoint_id }),
    ...(asked.inbound_endpoint_id === undefined ? {} : { [`${fields.inboundEndpoint}_eq`]: asked.inbound_endpoint_id }),
  }
  return {
    request: {
      parts: [{ resource, fields: columns, includes: [], filters, sort: [], limit: null }],
      format: 'csv',
      compression: null,
      options: { times: 'rfc3339' },
      dryData: false,
    },
    reference: null,
    referenceOrigin: null,
    metadata: {},
    protocol: { name: 'v1-exports', data: asked },
  }
}

/** The id as it is stored. Throws VALIDATION_FAILED for what is no UUID: it never was an export's. */
export function readId(id: string): string {
  if (!UUID.test(id)) throw refusal('id', 'id must be a UUID')
  return id.toLowerCase()
}
