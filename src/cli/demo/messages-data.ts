/** Webhook deliveries, outbound and inbound, newest last. The key is a UUID as text, so the table has no integer key. */
import { createRandom, type Random, timestamp } from './random.ts'
import { sparse } from './shop-data.ts'
import { ACME_SHARE, type Cell, DAY_MS, LAST_DAY_MS, type SampleSubject, type Tenant } from './tables.ts'
import { NOTES } from './words.ts'

const STATUSES = [
  'succeeded',
  'succeeded',
  'succeeded',
  'succeeded',
  'succeeded',
  'pending_retry',
  'failed_permanent',
  'queued',
  'delivering',
] as const
const EVENT_TYPES = [
  'order.created',
  'order.paid',
  'order.cancelled',
  'customer.updated',
  'invoice.finalized',
  'refund.created',
] as const
const FAULTS = [
  'connect ETIMEDOUT',
  'HTTP 500: "Internal, Server Error"',
  'TLS handshake failed\nunable to verify the first certificate',
] as const
const PROJECTS = { acme: 'proj_acme01', globex: 'proj_globex01' } as const

interface Endpoints {
  readonly outbound: readonly string[]
  readonly inbound: readonly string[]
}

function endpoints(random: Random, known: readonly string[]): Endpoints {
  const make = (count: number): string[] => Array.from({ length: count }, () => random.uuid(4, 0))
  return { outbound: [...known, ...make(9)], inbound: make(4) }
}

export const messagesData: SampleSubject = {
  tables: [
    {
      name: 'messages',
      columns: `id TEXT PRIMARY KEY NOT NULL, tenant_id TEXT NOT NULL, project_id TEXT NOT NULL, direction TEXT NOT NULL, status TEXT NOT NULL,
        endpoint_id TEXT, inbound_endpoint_id TEXT, event_type TEXT NOT NULL, idempotency_key TEXT, sequence INTEGER NOT NULL, attempt_count INTEGER NOT NULL,
        response_status INTEGER, response_ms REAL, last_error TEXT, payload JSON NOT NULL, payload_bytes INTEGER NOT NULL, next_attempt_at TEXT,
        delivered_at TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
      indexes: ['tenant_id, created_at'],
    },
  ],
  fill(counts, insert) {
    const random = createRandom('messages')
    const owned: Record<Tenant, Endpoints> = {
      acme: endpoints(random, ['550e8400-e29b-41d4-a716-446655440000']),
      globex: endpoints(random, []),
    }
    for (let number = 1; number <= counts.messages; number++) {
      const tenant: Tenant = random.chance(ACME_SHARE) ? 'acme' : 'globex'
      // The last 90 days, evenly.
      const createdMs = LAST_DAY_MS - Math.floor(((counts.messages - number + random.next()) / counts.messages) * 90 * DAY_MS)
      insert('messages', message(random, { number, tenant, createdMs, endpoints: owned[tenant] }))
    }
  },
}

interface MessageFacts {
  readonly number: number
  readonly tenant: Tenant
  readonly createdMs: number
  readonly endpoints: Endpoints
}

function message(random: Random, { number, tenant, createdMs, endpoints: own }: MessageFacts): Cell[] {
  const isOutbound = random.chance(0.8)
  const status = random.pick(STATUSES)
  const event = random.pick(EVENT_TYPES)
  const tried = status !== 'queued'
  const succeeded = status === 'succeeded'
  const endedMs = createdMs + random.between(40, 30_000)
  const payload = `{"type":"${event}","data":{"id":${random.between(1, 100_000)},"note":${JSON.stringify(random.pick(NOTES))}}}`
  return [
    random.uuid(7, createdMs),
    tenant,
    PROJECTS[tenant],
    isOutbound ? 'outbound' : 'inbound',
    status,
    isOutbound ? random.pick(own.outbound) : null,
    isOutbound ? null : random.pick(own.inbound),
    event,
    sparse(random, () => `key-${random.digits(8)}`, 0.4),
    BigInt(number) + 9_007_199_254_740_992n,
    tried ? (succeeded ? random.between(1, 2) : random.between(1, 8)) : 0,
    tried ? (succeeded ? random.pick([200, 202, 204]) : random.pick([null, 429, 500, 503])) : null,
    tried ? random.between(100, 900_000) / 1000 : null,
    succeeded ? '' : tried ? random.pick(FAULTS) : null,
    payload,
    Buffer.byteLength(payload),
    status === 'pending_retry' ? timestamp(endedMs + random.between(60_000, 3_600_000), 0) : null,
    succeeded ? timestamp(endedMs, random.between(0, 999)) : null,
    timestamp(createdMs, random.between(0, 999)),
    timestamp(endedMs, random.between(0, 999)),
  ]
}
