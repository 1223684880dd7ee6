import { describe, expect, it } from 'vitest'
import type { FreightConfig } from '../config/freight-config.ts'
import { resolveConfig } from '../config.ts'

const resources = { messages: { tenant: 'tenant_id' }, clients: { tenant: 'tenant_id' } }
const config = (protocols: unknown): FreightConfig => ({ source: 'sqlite:a.db', resources, protocols }) as FreightConfig
const resolved = (protocols: unknown) => resolveConfig(config(protocols), '/tmp', {}).protocols

describe('the protocols section', () => {
  it('is kept as it was written', () => {
    const v1 = { resource: 'messages', fields: { time: 'sent_at' }, columns: ['id'], projects: { acme: 'proj_1' } }
    const clients = {
      resource: 'clients',
      fields: { VatNumber: 'vat' },
      filters: { search: ['name'] },
      mappings: { mine: { columns: [{ csvHeader: 'The name', targetField: 'Name' }] } },
      tenants: { acme: 'a-1' },
      waitSeconds: 2,
    }
    const api = {
      resources: { events: 'messages' },
      maxRecords: 5,
      maxConcurrent: 1,
      jwtFilters: { events: { market_id_in: 'market.ids' } },
      webhooks: {
        crm: {
          url: 'https://crm.example/told?key=1',
          sharedSecret: 'sixteen letters!',
          topics: ['exports.fail'],
          tenant: 'acme',
        },
        here: { url: 'http://[::1]:9000/', sharedSecret: 'sixteen letters!' },
      },
    }
    const written = { 'v1-exports': v1, 'clients-export': clients, 'api-exports': api }
    expect(resolved(written)).toEqual(written)
    expect(JSON.parse(JSON.stringify(resolved(written)))).toEqual(written)
    expect(resolved(undefined)).toEqual({})
  })

  it.each<[unknown, string]>([
    [[], 'protocols: must be an object, not a list.'],
    [{ 'v1-export': {} }, 'protocols: there is no setting "v1-export". Did you mean "v1-exports"?'],
    [{ 'v1-exports': {} }, 'protocols.v1-exports.resource: must be text, not nothing.'],
    [
      { 'v1-exports': { resource: 'mesages' } },
      'protocols.v1-exports.resource: there is no resource "mesages". Did you mean "messages"?',
    ],
    [
      { 'v1-exports': { resource: 'messages', feilds: {} } },
      'protocols.v1-exports: there is no setting "feilds". Did you mean "fields"?',
    ],
    [
      { 'v1-exports': { resource: 'messages', fields: { endpiont: 'a' } } },
      'protocols.v1-exports.fields: there is no setting "endpiont". Did you mean "endpoint"?',
    ],
    [
      { 'v1-exports': { resource: 'messages', fields: { time: 5 } } },
      'protocols.v1-exports.fields.time: must be text, not a number.',
    ],
    [
      { 'v1-exports': { resource: 'messages', columns: 'id' } },
      'protocols.v1-exports.columns: must be a list of names, not text.',
    ],
    [
      { 'v1-exports': { resource: 'messages', projects: { acme: 'acme' } } },
      'protocols.v1-exports.projects.acme: must be "proj_" and',
    ],
    [
      { 'v1-exports': { resource: 'messages', endpoints: { resource: 'x', field: 'id' } } },
      'protocols.v1-exports.endpoints.resource: there is no resource "x".',
    ],
    [
      { 'clients-export': { resource: 'clients', fields: { VatNumbr: 'vat' } } },
      'protocols.clients-export.fields: there is no setting "VatNumbr". Did you mean "VatNumber"?',
    ],
    [
      { 'clients-export': { resource: 'clients', filters: { search: 'name' } } },
      'protocols.clients-export.filters.search: must be a list of names, not text.',
    ],
    [
      { 'clients-export': { resource: 'clients', waitSeconds: 31 } },
      'protocols.clients-export.waitSeconds: must be more than 0 and at most 30.',
    ],
    [
      { 'clients-export': { resource: 'clients', mappings: { 'individual-clients': { columns: [] } } } },
      'protocols.clients-export.mappings.individual-clients: is a preset',
    ],
    [
      { 'clients-export': { resource: 'clients', mappings: { a: { columns: [] } } } },
      'protocols.clients-export.mappings.a.columns: must be a list of at least one column.',
    ],
    [
      { 'clients-export': { resource: 'clients', mappings: { a: { columns: [{ csvHeader: 'A', targetField: 'Nmae' }] } } } },
      'protocols.clients-export.mappings.a.columns.0.targetField: there is no field "Nmae". Did you mean "Name"?',
    ],
    [{ 'api-exports': {} }, 'protocols.api-exports.resources: must be an object, not nothing.'],
    [
      { 'api-exports': { resources: { orders: 'oders' } } },
      'protocols.api-exports.resources.orders: there is no resource "oders".',
    ],
    [{ 'api-exports': { resources: { a: 'clients' }, maxRecords: 0 } }, 'protocols.api-exports.maxRecords: must be more than 0'],
    [
      { 'api-exports': { resources: { a: 'clients' }, jwtFilters: { b: {} } } },
      'protocols.api-exports.jwtFilters.b: there is no resource_type "b".',
    ],
    [
      { 'api-exports': { resources: { a: 'clients' }, jwtFilters: { a: { id_eq: 'sub' } } } },
      'protocols.api-exports.jwtFilters.a.id_eq: a filter that a claim is put into must end in "_in".',
    ],
  ])('%j is refused with its place', (protocols, message) => {
    expect(() => resolved(protocols)).toThrow(`configuration: ${message}`)
  })
})
