import { expect } from 'vitest'
import { describeHostileWire } from '../../../test/contracts/hostile-wire.ts'
import { openProtocolSite, type WireAnswer } from '../../../test/protocol-site.ts'
import { clientsExport } from './clients-export.ts'

const CLIENTS = {
  id: 'integer',
  tenant_id: 'text',
  name: 'text',
  code: 'text',
  email: 'text',
  status: 'text',
  type: 'text',
  manager_code: 'text',
  service_codes: 'json',
  password_hash: 'text',
} as const

const column = { csvHeader: 'N', targetField: 'Name' }
const filter = (members: unknown) => ({ filter: members })

const open = () =>
  openProtocolSite({
    tables: { clients: CLIENTS, nothing: { id: 'integer', tenant_id: 'text' } },
    protocols: (site) => [clientsExport({ resource: 'clients', waitSeconds: 0.01 }, site)],
  })

function expectRefusal({ status, text }: Pick<WireAnswer, 'status' | 'text'>): void {
  const body = JSON.parse(text)
  const names = ['type', 'title', 'status', 'detail', 'message', 'code', 'request_id']
  expect(Object.keys(body).filter((name) => !['errors', 'allowed'].includes(name))).toEqual(names)
  expect(body).toMatchObject({ status, message: expect.stringMatching(/\S/), code: expect.stringMatching(/^[A-Z_]+$/) })
  expect(body.request_id).toMatch(/^[0-9a-f-]{36}$/)
}

const wrongColumns: readonly (readonly [what: string, columns: unknown])[] = [
  ['columns as an object', { 0: column }],
  ['no columns', []],
  ['501 columns', Array.from({ length: 501 }, (_, n) => ({ ...column, csvHeader: `N${n}` }))],
  ['a column that is a text', ['Name']],
  ['a column without a header', [{ targetField: 'Name' }]],
  ['a column with an empty header', [{ ...column, csvHeader: ' ' }]],
  ['a column with a header of 201 characters', [{ ...column, csvHeader: 'x'.repeat(201) }]],
  ['a column with a member of its own', [{ ...column, format: 'x' }]],
  ['two columns of one name', [column, { csvHeader: 'N', targetField: 'Code' }]],
  ['a field that is hidden', [{ ...column, targetField: 'password_hash' }]],
  ['a field in another case', [{ ...column, targetField: 'name' }]],
  ['a field that is SQL', [{ ...column, targetField: 'name" from users--' }]],
  ['a field that is a prototype', [{ ...column, targetField: 'constructor' }]],
  ['a field that the resource does not have', [{ ...column, targetField: 'Website' }]],
]

const mapping = (members: Record<string, unknown> = {}) => ({
  name: 'Mail',
  columnMappings: [column],
  mappingType: 'Client',
  ...members,
})

describeHostileWire('clients-export: csv-mappings', {
  open,
  create: { path: '/tenants/acme/csv-mappings', body: mapping() },
  read: (id) => `/tenants/acme/csv-mappings/${id}`,
  statuses: { invalid: 400, tooLarge: 413 },
  expectRefusal,
  readOnly: ['code', 'isPreset', 'createdDate', 'updatedDate', 'tenant', 'id', 'kind', 'content'],
  wrongBodies: [
    ['no name', mapping({ name: undefined })],
    ['a name without text', mapping({ name: ' ' })],
    ['a name as a number', mapping({ name: 1 })],
    ['a name of 201 characters', mapping({ name: 'x'.repeat(201) })],
    ['columns that are null', mapping({ columnMappings: null })],
    ['a type of its own', mapping({ mappingType: 'Contact' })],
    ['no type', mapping({ mappingType: undefined })],
    ['a field to match by in another case', mapping({ matchField: 'code' })],
    ['a field to match by that no client has', mapping({ matchField: 'Email' })],
    ...wrongColumns.map(([what, columns]) => [what, mapping({ columnMappings: columns })] as const),
  ],
  plainBodies: [
    ['a name like SQL', mapping({ name: "' or 1=1--" })],
    ['a name like a formula', mapping({ name: "=cmd|' /C calc'!A0" })],
    ['no field to match by', mapping({ matchField: null })],
  ],
})

describeHostileWire('clients-export', {
  open,
  create: { path: '/tenants/acme/clients/export/csv', body: { includeHeaders: true } },
  read: (id) => `/tenants/acme/clients/export/csv/${id}`,
  statuses: { invalid: 400, tooLarge: 413 },
  expectRefusal,
  readOnly: ['code', 'status', 'totalItems', 'processedItems', 'downloadUrl', 'createdDate', 'tenant', 'id', 'storageKey'],
  wrongBodies: [
    ['a mapping code as a number', { mappingCode: 1 }],
    ...wrongColumns.map(([what, columns]) => [what, { columnMappings: columns }] as const),
    ['headers as a text', { includeHeaders: 'false' }],
    ['headers as a number', { includeHeaders: 1 }],
    ['a filter as a list', filter([])],
    ['a filter that is unknown', filter({ passwordHash: ['x'] })],
    ['a filter of the tenant', filter({ tenantId: ['globex'] })],
    ['a filter that the resource does not have', filter({ partnerCodes: ['P1'] })],
    ['codes as a text', filter({ managerCodes: 'M1' })],
    ['codes as an object', filter({ managerCodes: { 0: 'M1' } })],
    ['a code that is null', filter({ managerCodes: [null] })],
    ['a code that is an object', filter({ managerCodes: [{ $ne: null }] })],
    ['70,000 codes', filter({ managerCodes: Array.from({ length: 70_000 }, () => 'M') })],
    ['a status that is unknown', filter({ statuses: ['Deleted'] })],
    ['a type in another case', filter({ types: ['trust'] })],
    ['a search as a list', filter({ search: ['x'] })],
    ['a search without text', filter({ search: ' ' })],
    ['a search of 501 characters', filter({ search: 'x'.repeat(501) })],
  ],
  plainBodies: [
    ['SQL in a code', filter({ managerCodes: ["' or 1=1--", "';select pg_sleep(10)--", '$$', '\\'] })],
    ['patterns in a search', filter({ search: '%_\\' })],
    ['JSON in a service code', filter({ serviceCodes: ['"]}', '{"a":1}'] })],
    ['a formula in a header', { columnMappings: [{ ...column, csvHeader: "=cmd|' /C calc'!A0" }] }],
  ],
})
