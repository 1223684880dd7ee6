/**
 * Refused requests in the audit: who could not say who they are (401), asked for what they may not (403), or for too much (429). Counted, and written
 * once a minute as one entry for each caller, address and status, so many at most: whoever tries keys fills no disk.
 */
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { claimedKeyId } from '../access/keys.ts'
import type { Principal } from '../access/principal.ts'
import type { AuditStore } from '../store/store.ts'

export interface RefusalAudit {
  readonly store: Pick<AuditStore, 'addAudit'>
  /** How often it is written; default each minute. */
  readonly everyMs?: number
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who was calling when these credentials were last good: for what is refused before they are looked at. */
    lastKnownAs: Pick<Principal, 'id' | 'tenant'> | null
  }
}

const AUDITED: ReadonlySet<number> = new Set([401, 403, 429])
const EVERY_MS = 60_000
/** Entries in each minute; what goes beyond is summed in one more. Of known callers and of strangers, so that these never displace those. */
const MOST = { known: 20, unknown: 10 } as const

interface Refused {
  readonly at: Date
  readonly tenant: string
  readonly by: string
  readonly from: string | null
  readonly status: number
  readonly first: Readonly<Record<string, string>>
  requests: number
}

/** Must be called before routes are registered. What is counted is written when the server closes, at the latest. */
export function auditRefusals(app: FastifyInstance, { store, everyMs = EVERY_MS }: RefusalAudit, now: () => Date): void {
  let counted = new Map<string, Refused>()
  app.addHook('onResponse', async (request, reply) => {
    if (AUDITED.has(reply.statusCode)) count(counted, refusedOf(request, reply.statusCode, now()))
  })
  const write = async (): Promise<void> => {
    const entries = [...counted.values()]
    counted = new Map()
    for (const { at, tenant, by, from, status, first, requests } of entries) {
      const data = { status, requests, ...first }
      try {
        await store.addAudit({ at, tenant, action: 'refused', actor: { by, from }, exportId: null, data })
      } catch (error) {
        app.log.warn({ err: error, tenant, by, from, ...data }, 'refused requests could not be recorded')
      }
    }
  }
  let writing = Promise.resolve()
  const timer = setInterval(() => {
    writing = writing.then(write)
  }, everyMs)
  timer.unref()
  app.addHook('onClose', async () => {
    clearInterval(timer)
    await writing
    await write()
  })
}

/** Never the address that was asked for, and no credential: the route as it is registered, and a key's id, which is no secret. */
function refusedOf(request: FastifyRequest, status: number, at: Date): Refused {
  const caller = request.principal ?? request.lastKnownAs
  const claimed = caller ? null : claimedKeyId(request.headers)
  const { method, routeOptions } = request
  return {
    at,
    tenant: caller?.tenant ?? '-',
    by: caller?.id ?? 'unknown',
    from: normalizeIP(request.ip),
    status,
    first: { method, route: routeOptions.url ?? 'none', ...(claimed === null ? {} : { claimed_key: claimed }) },
    requests: 1,
  }
}

function count(counted: Map<string, Refused>, refused: Refused): void {
  const { tenant, by, from, status } = refused
  const kind = tenant === '-' ? 'unknown' : 'known'
  const key = JSON.stringify([kind, status, tenant, by, from])
  const others = JSON.stringify([kind, 'others'])
  const before = counted.get(key)
  const isFull = [...counted.keys()].filter((each) => each.startsWith(`["${kind}"`)).length >= MOST[kind]
  const place = before ? key : isFull ? others : key
  const known = counted.get(place)
  if (known) known.requests += 1
  else counted.set(place, place === others ? { ...refused, tenant: '-', by: 'others', from: null, first: {} } : refused)
}
