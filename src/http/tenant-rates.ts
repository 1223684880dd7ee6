/** How many requests a minute all callers of one tenant may make together. In memory: each process counts its own, and begins anew when it starts. */
import type { FastifyInstance } from 'fastify'
import { FreightError } from '../job/errors.ts'

const MINUTE_MS = 60_000

/** Null: no limit. Must be called before routes are registered; counts once it is known who is calling. */
export function limitTenants(app: FastifyInstance, perMinute: (tenant: string) => number | null, now: () => number): void {
  let minute = Number.NaN
  const counts = new Map<string, number>()
  app.addHook('preParsing', async (request, _reply, payload) => {
    // Addresses without callers have none: health, downloads, documentation.
    const tenant = request.principal?.tenant
    const most = tenant === undefined ? null : perMinute(tenant)
    if (tenant === undefined || most === null) return payload
    const current = Math.floor(now() / MINUTE_MS)
    if (current !== minute) counts.clear()
    minute = current
    const count = (counts.get(tenant) ?? 0) + 1
    counts.set(tenant, count)
    if (count > most) throw tooMany(Math.ceil(((current + 1) * MINUTE_MS - now()) / 1000))
    return payload
  })
}

function tooMany(seconds: number): FreightError {
  return new FreightError('RATE_LIMITED', `This tenant has made too many requests in this minute. Try again in ${seconds} s.`, {
    details: { retryAfterSeconds: Math.max(1, seconds) },
  })
}
