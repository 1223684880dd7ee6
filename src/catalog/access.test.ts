/** What a caller may not have does not exist for them, whichever way they ask. */
import { describe, expect, it } from 'vitest'
import { callerOf, refusalOf, request, resource, SHOP_TABLES, shopCatalog } from '../../test/shop-catalog.ts'
import type { CheckedSpec, Predicate, Selected } from '../job/spec.ts'
import type { Caller, Catalog } from './catalog.ts'

const CUSTOMERS = resource('customers', {
  tenant: 'tenant_id',
  scope: { region: 'region' },
  fieldScopes: { note: 'crm:read' },
  masks: { email: { as: 'partial', unless: 'pii:read' }, id: 'hash' },
})

function catalogOf(changes: Parameters<typeof shopCatalog>[0] = {}): Catalog {
  // The shop's customers have no region and no note of their own.
  const extra = ['region', 'note'].map(
    (name) => ({ name, type: 'text', declaredType: 'TEXT', nullable: true, strict: false }) as const,
  )
  const tables = SHOP_TABLES.map((table) => {
    if (table.name !== 'customers') return table
    const missing = extra.filter(({ name }) => !table.columns.some((column) => column.name === name))
    return { ...table, columns: [...table.columns, ...missing] }
  })
  return shopCatalog({ customers: CUSTOMERS, ...changes }, tables)
}

const EXPORTS = ['exports:read', 'exports:write', 'exports:download']
const north = (...scopes: string[]): Caller => callerOf('acme', { scopes: [...EXPORTS, ...scopes], claims: { region: 'north' } })

function fieldsOf(spec: CheckedSpec): Extract<Selected, { kind: 'field' }>[] {
  return (spec.parts[0]?.select ?? []).flatMap((node) => (node.kind === 'field' ? [node] : []))
}

const namesOf = (catalog: Catalog, caller: Caller): string[] =>
  catalog
    .resources(caller)
    .find(({ name }) => name === 'customers')
    ?.fields.map(({ name }) => name) ?? []

describe('a field that demands a scope', () => {
  it('is there for who holds it, and for nobody else: not by name, nor in *, nor through a relation', () => {
    const catalog = catalogOf()
    expect(namesOf(catalog, north('crm:read'))).toContain('note')
    expect(namesOf(catalog, north())).not.toContain('note')
    const all = catalog.check(request({ resource: 'customers', fields: ['*'] }), north())
    expect(fieldsOf(all).map(({ name }) => name)).not.toContain('note')
    const asked = (fields: object) => () => catalog.check(request({ resource: 'customers', ...fields }), north())
    expect(refusalOf(asked({ fields: ['note'] })).place).toBe('FIELD_UNKNOWN /fields/0')
    expect(refusalOf(asked({ filters: { note_eq: 'x' } })).place).toBe('FILTER_UNKNOWN /filters/note_eq')
    expect(refusalOf(asked({ filters: { note_null: true } })).place).toBe('FILTER_UNKNOWN /filters/note_null')
    expect(refusalOf(asked({ filters: { region_or_note_cont: 'x' } })).code).toBe('FILTER_UNKNOWN')
    expect(refusalOf(asked({ sort: ['-note'] })).place).toBe('SORT_UNKNOWN /sort/0')
    const through = (fields: object) => () => catalog.check(request({ resource: 'orders', ...fields }), north())
    expect(refusalOf(through({ fields: ['customer.note'] })).code).toBe('FIELD_UNKNOWN')
    expect(refusalOf(through({ filters: { 'customer.note_eq': 'x' } })).code).toBe('FILTER_UNKNOWN')
    expect(refusalOf(through({ sort: ['customer.note'] })).code).toBe('SORT_UNKNOWN')
    const included = catalog.check(request({ resource: 'orders', includes: ['customer'] }), north())
    expect(JSON.stringify(included.parts)).not.toContain('"note","column":"note","key":false')
  })

  it('is not even named in a refusal', () => {
    const { details, message } = refusalOf(() => catalogOf().check(request({ resource: 'customers', fields: ['nota'] }), north()))
    expect(details.allowed).not.toContain('note')
    expect(message).toBe('"customers" has no field "nota".')
  })

  it('leaves its scope with the export, without which nobody downloads it', () => {
    const catalog = catalogOf()
    const spec = catalog.check(request({ resource: 'customers', fields: ['note'] }), north('crm:read'))
    expect(spec.access?.scopes).toEqual(['crm:read'])
    expect(catalog.permits(spec, north('crm:read'), 'download')).toBe(true)
    expect(catalog.permits(spec, north(), 'download')).toBe(false)
    expect(catalog.permits(spec, north(), 'read')).toBe(true)
    const without = catalog.check(request({ resource: 'customers', fields: ['region'] }), north('crm:read'))
    expect(catalog.permits(without, north(), 'download')).toBe(true)
  })
})

describe('a masked field', () => {
  const catalog = catalogOf()
  const selected = (caller: Caller, name: string) =>
    fieldsOf(catalog.check(request({ resource: 'customers', fields: [name] }), caller)).find((field) => field.name === name)

  it('is selected with its mask, as text, and unmasked for who holds its scope', () => {
    expect(selected(north(), 'email')).toMatchObject({ mask: 'partial', type: 'text', strict: false })
    expect(selected(north('pii:read'), 'email')?.mask).toBeUndefined()
    expect(selected(north('pii:read'), 'id')).toMatchObject({ mask: 'hash', type: 'text' })
    const shown = catalog.resources(north()).find(({ name }) => name === 'customers')?.fields
    expect(shown).toContainEqual(expect.objectContaining({ name: 'id', type: 'text', mask: 'hash' }))
  })

  it('is neither filter nor sort key, in any form, also through a relation, since either would tell its values', () => {
    const asked = (part: object) => () => catalog.check(request({ resource: 'customers', ...part }), north())
    for (const predicate of ['eq', 'not_eq', 'in', 'gt', 'null', 'not_null', 'cont', 'present', 'matches']) {
      const value = predicate === 'in' ? ['x'] : /null|present/.test(predicate) ? true : 'x'
      expect(refusalOf(asked({ filters: { [`email_${predicate}`]: value } })).code, predicate).toBe('FILTER_UNKNOWN')
      expect(refusalOf(asked({ filters: { [`region_or_email_${predicate}`]: value } })).code).toBe('FILTER_UNKNOWN')
      const through = request({ resource: 'orders', filters: { [`customer.email_${predicate}`]: value } })
      expect(refusalOf(() => catalog.check(through, north())).code).toBe('FILTER_UNKNOWN')
    }
    expect(refusalOf(asked({ sort: ['email'] })).place).toBe('SORT_UNKNOWN /sort/0')
    expect(refusalOf(() => catalog.check(request({ resource: 'orders', sort: ['-customer.email'] }), north())).code).toBe(
      'SORT_UNKNOWN',
    )
    expect(catalog.check(request({ resource: 'customers', filters: { email_cont: 'x' } }), north('pii:read')).parts).toHaveLength(
      1,
    )
  })

  it('does not order the rows when the resource is sorted by it by default', () => {
    const sorted = catalogOf({ customers: { ...CUSTOMERS, sort: '-email,region' } })
    const columns = (caller: Caller) =>
      sorted.check(request({ resource: 'customers' }), caller).parts[0]?.sort.map(({ column }) => column)
    expect(columns(north('pii:read'))).toEqual(['email', 'region'])
    expect(columns(north())).toEqual(['region'])
  })

  it('is not read behind the back as the key of the errors log', () => {
    const spec = catalog.check(request({ resource: 'customers', fields: ['region'] }), north())
    expect(fieldsOf(spec).map(({ name }) => name)).toEqual(['region'])
  })

  it('leaves the scope that took its mask away with the export', () => {
    const spec = catalog.check(request({ resource: 'orders', fields: ['customer.email'] }), north('pii:read'))
    expect(spec.access?.scopes).toEqual(['pii:read'])
    expect(catalog.permits(spec, north(), 'download')).toBe(false)
    expect(catalog.check(request({ resource: 'orders', fields: ['customer.email'] }), north()).access?.scopes).toEqual([])
  })
})

describe('a resource with a scope of its own', () => {
  const catalog = catalogOf({ customers: { ...CUSTOMERS, ownScope: true } })

  it('is unknown to a caller without it, and so is every relation to it', () => {
    expect(catalog.resources(north()).map(({ name }) => name)).not.toContain('customers')
    const orders = catalog.resources(north()).find(({ name }) => name === 'orders')
    expect(orders?.relations.map(({ name }) => name)).not.toContain('customer')
    expect(refusalOf(() => catalog.check(request({ resource: 'customers' }), north())).place).toBe('RESOURCE_UNKNOWN /resource')
    expect(refusalOf(() => catalog.check(request({ includes: ['customer'] }), north())).code).toBe('RELATION_UNKNOWN')
    expect(refusalOf(() => catalog.check(request({ filters: { 'customer.region_eq': 'x' } }), north())).code).toBe(
      'FILTER_UNKNOWN',
    )
  })

  it('is there for who holds it, each deed by itself', () => {
    const writer = north('exports:write:customers')
    const spec = catalog.check(request({ includes: ['customer'] }), writer)
    expect(spec.access?.resources).toContain('customers')
    expect(catalog.permits(spec, writer, 'write')).toBe(true)
    expect(catalog.permits(spec, writer, 'download')).toBe(false)
    expect(catalog.permits(spec, north('exports:download:customers'), 'download')).toBe(true)
  })

  it('a scope for one resource covers no other', () => {
    const one = callerOf('acme', { scopes: ['exports:write:skus'], claims: { region: 'north' } })
    expect(catalog.resources(one).map(({ name }) => name)).toEqual(['skus'])
    expect(refusalOf(() => catalog.check(request({ resource: 'orders' }), one)).details.allowed).toEqual(['skus'])
    expect(catalog.resources(callerOf('acme', { scopes: [] }))).toEqual([])
  })
})

describe('rows by claims', () => {
  const catalog = catalogOf()
  const withClaims = (claims: Record<string, unknown>): Caller => callerOf('acme', { claims })
  const scopeFor = (claims: Record<string, unknown>): Predicate | null | undefined =>
    catalog.check(request({ resource: 'customers' }), withClaims(claims)).parts[0]?.scope
  const regions = (predicate: Predicate | null | undefined): string[] => {
    const of = predicate?.op === 'and' ? predicate.of : []
    return of.flatMap((each) => (each.op === 'in' && each.column === 'region' ? each.values.map(({ text }) => text) : []))
  }

  it('are narrowed to the values of the claim, beside the tenant, with whatever filter', () => {
    expect(regions(scopeFor({ region: 'north' }))).toEqual(['north'])
    expect(regions(scopeFor({ region: ['north', 3] }))).toEqual(['north', '3'])
    expect(JSON.stringify(scopeFor({ region: 'north' }))).toContain('tenant_id')
  })

  it.each([
    ['missing', {}],
    ['an empty list', { region: [] }],
    ['empty', { region: '' }],
    ['null', { region: null }],
    ['an object', { region: { $ne: null } }],
    ['a list with null in it', { region: ['north', null] }],
    ['a list of lists', { region: [['north']] }],
    ['longer than 1,000', { region: Array.from({ length: 1_001 }, (_, at) => `r${at}`) }],
    ['not a whole number', { region: 1.5 }],
    ['with NUL in it', { region: 'a\0b' }],
    ['only in the prototype', JSON.parse('{"__proto__":{"region":"north"}}') as Record<string, unknown>],
  ])('are refused when the claim is %s, never given out whole', (_what, claims) => {
    expect(refusalOf(() => catalog.check(request({ resource: 'customers' }), withClaims(claims))).code).toBe('FORBIDDEN')
    const through = [{ includes: ['customer'] }, { filters: { 'customer.region_null': true } }, { sort: ['customer.region'] }]
    for (const part of through) {
      expect(refusalOf(() => catalog.check(request({ resource: 'orders', ...part }), withClaims(claims))).code).toBe('FORBIDDEN')
    }
    // What does not reach the resource needs no claim.
    expect(catalog.check(request({ resource: 'orders', fields: ['id'] }), withClaims(claims)).parts).toHaveLength(1)
  })

  it('take a star, SQL and wildcards as the plain text they are', () => {
    for (const text of ['*', '%', "' or 1=1 --"]) expect(regions(scopeFor({ region: text }))).toEqual([text])
  })

  it('narrow a relation wherever it is reached, also inside a filter', () => {
    const spec = catalog.check(
      request({ resource: 'orders', includes: ['customer'], filters: { 'customer.region_eq': 'x' }, sort: ['customer.region'] }),
      withClaims({ region: 'north' }),
    )
    expect(JSON.stringify(spec.parts).split('"north"').length - 1).toBe(3)
  })

  it('cover an export only while the caller has every value that went into it', () => {
    const spec = catalog.check(request({ resource: 'customers' }), withClaims({ region: ['north', 'south'] }))
    const covers = (claims: Record<string, unknown>) => catalog.covers(spec, withClaims(claims))
    expect(covers({ region: ['south', 'east', 'north'] })).toBe(true)
    expect(covers({ region: 'north' })).toBe(false)
    expect(covers({ region: [] })).toBe(false)
    expect(covers({})).toBe(false)
    const { access: _, ...older } = spec
    expect(catalog.covers(older, withClaims({ region: ['north', 'south'] }))).toBe(false)
    expect(shopCatalog().covers(spec, withClaims({}))).toBe(true)
  })
})

it('a policy for a field or column that is not there stops the start', () => {
  const refusal = (changes: object) => refusalOf(() => catalogOf({ customers: { ...CUSTOMERS, ...changes } })).message
  expect(refusal({ masks: { emial: 'hash' } })).toContain('resources.customers.masks: there is no field "emial".')
  expect(refusal({ fieldScopes: { nothing: 'x' } })).toContain('resources.customers.fieldScopes: there is no field "nothing".')
  expect(refusal({ scope: { regoin: 'region' } })).toContain('has no column "regoin"')
})

it('nothing is narrowed and nothing masked for the owner of the database, who has no caller', () => {
  const spec = catalogOf({ customers: { ...CUSTOMERS, ownScope: true } }).check(request({ resource: 'customers' }), null)
  expect(spec.parts[0]?.scope).toBeNull()
  expect(fieldsOf(spec).some(({ mask }) => mask !== undefined)).toBe(false)
})
