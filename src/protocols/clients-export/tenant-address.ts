/** The `{tenant}` of an address, and the addresses of answers. */
import type { FastifyRequest } from 'fastify'
import type { Principal } from '../../access/principal.ts'
import { FreightError } from '../../job/errors.ts'
import { callerOf } from '../protocol.ts'
import type { Clients } from './clients.ts'

/** Without `{tenant}` the caller's own is meant. */
export const PREFIXES = ['', '/api', '/tenants/:tenant', '/api/tenants/:tenant']

export type OfTenant = { Params: { tenant?: string } }

/** A tenant that is not the caller's answers like one that does not exist. */
export function callerAt(request: FastifyRequest<OfTenant>, clients: Clients): Principal {
  const caller = callerOf(request)
  const { tenant } = request.params
  if (tenant === undefined || tenant === clients.tenantCode(caller.tenant)) return caller
  throw new FreightError('NOT_FOUND', 'There is no such tenant.')
}

/** One of `PREFIXES` as it was called. */
export function addressBelow(prefix: string, { params }: FastifyRequest<OfTenant>): string {
  return prefix.replace(':tenant', encodeURIComponent(params.tenant ?? ''))
}
