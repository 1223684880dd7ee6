/** v1-exports on a real store, behind the real HTTP server; and what each of its answers must be. */
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { expect } from 'vitest'
import type { HttpOptions } from '../../src/http/server.ts'
import type { CellType } from '../../src/job/row-text.ts'
import { v1Exports } from '../../src/protocols/v1-exports/v1-exports.ts'
import { openProtocolSite, type ProtocolSite, type WireAnswer } from '../protocol-site.ts'

export const MESSAGES: Record<string, CellType> = {
  id: 'text',
  tenant_id: 'text',
  status: 'text',
  direction: 'text',
  endpoint_id: 'text',
  inbound_endpoint_id: 'text',
  created_at: 'timestamp',
}

const section = {
  resource: 'messages',
  projects: { acme: 'proj_acme01' },
  endpoints: { resource: 'messages', field: 'endpoint_id' },
}

export const openV1Site = (http: Partial<HttpOptions> = {}, accepting?: () => boolean): Promise<ProtocolSite> =>
  openProtocolSite({
    http,
    ...(accepting ? { accepting } : {}),
    tables: { messages: MESSAGES, orders: { id: 'integer', tenant_id: 'text' } },
    protocols: (site) => [v1Exports(section, site)],
  })

const strict = { additionalProperties: false }
const Instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$' })
const Uuid = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' })
const Export = Type.Object(
  {
    id: Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' }),
    project_id: Type.String({ pattern: '^proj_' }),
    status: Type.Enum(['pending', 'processing', 'completed', 'failed', 'expired']),
    filter_start_time: Instant,
    filter_end_time: Instant,
    filter_status: Type.Optional(Type.Enum(['queued', 'delivering', 'succeeded', 'pending_retry', 'failed_permanent'])),
    filter_endpoint_id: Type.Optional(Uuid),
    filter_inbound_endpoint_id: Type.Optional(Uuid),
    direction: Type.Optional(Type.Enum(['outbound', 'inbound'])),
    row_count: Type.Optional(Type.Integer()),
    file_size_bytes: Type.Optional(Type.Integer()),
    error_message: Type.Optional(Type.String()),
    started_at: Type.Optional(Instant),
    completed_at: Type.Optional(Instant),
    expires_at: Type.Optional(Instant),
    created_at: Instant,
  },
  strict,
)
const Meta = Type.Object({ request_id: Type.String({ minLength: 1 }) }, strict)
const Failure = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({ pattern: '^[A-Z_]+$' }),
        message: Type.String({ minLength: 1 }),
        details: Type.Optional(Type.Object({})),
      },
      strict,
    ),
    meta: Meta,
  },
  strict,
)
const One = Type.Object({ data: Export, meta: Meta }, strict)
const Many = Type.Object({ data: Type.Array(Export), meta: Meta }, strict)
const Redirect = Type.Object({ data: Type.Object({}, strict), meta: Meta }, strict)

/** What every answer of this protocol is, whatever it answers. */
export function expectWire({ status, headers, body, text }: WireAnswer): void {
  if (status === 204) {
    expect(text).toBe('')
    return
  }
  const schema = status >= 400 ? Failure : status === 302 ? Redirect : Array.isArray(body.data) ? Many : One
  expect([...Value.Errors(schema, body)]).toEqual([])
  expect(body.meta.request_id).toBe(headers.get('x-request-id'))
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(text).not.toMatch(/null|tenant_id|node_modules|select |SQLITE/)
}
