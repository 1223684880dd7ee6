/** clients-export on a real store, behind the real HTTP server; and what each of its answers must be. */
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { expect } from 'vitest'
import type { CellType } from '../../src/job/row-text.ts'
import { clientsExport } from '../../src/protocols/clients-export/clients-export.ts'
import type { ClientsExportConfig } from '../../src/protocols/clients-export/settings.ts'
import { TARGET_FIELDS, usualName } from '../../src/protocols/clients-export/target-fields.ts'
import { openProtocolSite, type ProtocolSite, type Tables, type WireAnswer } from '../protocol-site.ts'

/** A table with every field of the protocol, under the usual names. */
export const CLIENTS: Record<string, CellType> = {
  id: 'integer',
  tenant_id: 'text',
  ...Object.fromEntries(TARGET_FIELDS.map((target) => [usualName(target), 'text' as const])),
  manager_code: 'text',
  partner_code: 'text',
  associate_code: 'text',
  service_codes: 'json',
}
const TABLES: Tables = { clients: CLIENTS, orders: { id: 'integer', tenant_id: 'text' } }

export const openClientsSite = (section: Partial<ClientsExportConfig> = {}, tables = TABLES): Promise<ProtocolSite> =>
  openProtocolSite({
    tables,
    protocols: (site) => [clientsExport({ resource: 'clients', waitSeconds: 0.05, ...section }, site)],
  })

const strict = { additionalProperties: false }
const Utc = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' })
const nothing = Type.Null()
const job = (members: Record<string, ReturnType<typeof Type.Null>>) =>
  Type.Object({ code: Type.String(), ...members, createdDate: Utc }, strict)
const as = <T>(schema: T) => schema as unknown as ReturnType<typeof Type.Null>
const count = as(Type.Integer({ minimum: 0 }))
/** Which members are null in which status, as the contract's table has it. */
const JOBS: Record<string, ReturnType<typeof job>> = {
  Queued: job({
    status: as(Type.Literal('Queued')),
    totalItems: nothing,
    processedItems: count,
    downloadUrl: nothing,
    startedDate: nothing,
    completedDate: nothing,
  }),
  InProgress: job({
    status: as(Type.Literal('InProgress')),
    totalItems: as(Type.Union([count, nothing])),
    processedItems: count,
    downloadUrl: nothing,
    startedDate: as(Utc),
    completedDate: nothing,
  }),
  Completed: job({
    status: as(Type.Literal('Completed')),
    totalItems: count,
    processedItems: count,
    downloadUrl: as(Type.Union([Type.String(), nothing])),
    startedDate: as(Utc),
    completedDate: as(Utc),
  }),
  Failed: job({
    status: as(Type.Literal('Failed')),
    totalItems: as(Type.Union([count, nothing])),
    processedItems: count,
    downloadUrl: nothing,
    startedDate: as(Utc),
    completedDate: as(Utc),
  }),
  Cancelled: job({
    status: as(Type.Literal('Cancelled')),
    totalItems: as(Type.Union([count, nothing])),
    processedItems: count,
    downloadUrl: nothing,
    startedDate: as(Type.Union([Utc, nothing])),
    completedDate: as(Utc),
  }),
}
const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ minLength: 1 }),
    message: Type.String({ minLength: 1 }),
    code: Type.String({ pattern: '^[A-Z_]+$' }),
    request_id: Type.String({ minLength: 1 }),
    errors: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
    allowed: Type.Optional(Type.Array(Type.String())),
  },
  strict,
)

/** What every answer about an export or an error is. */
export function expectWire({ status, headers, body, text }: WireAnswer): void {
  const schema = status >= 400 ? Problem : (JOBS[body.status] ?? nothing)
  expect([...Value.Errors(schema, body)]).toEqual([])
  expect(headers.get('content-type')).toBe(status >= 400 ? 'application/problem+json' : 'application/json; charset=utf-8')
  expect(text).not.toMatch(/tenant_id|node_modules|select |SQLITE/)
  if (status === 201) expect(body.downloadUrl).toMatch(/^http/)
  if (status >= 400) expect({ status: body.status, message: body.message }).toEqual({ status, message: body.detail })
}
