import { describe, expect, test } from 'vitest'
import type { ResolvedResource } from '../config/resolved.ts'
import { FreightError } from '../job/errors.ts'
import type { ExportRequest, PartRequest } from '../job/spec.ts'
import type { TableDescription } from '../sources/source.ts'
import type { Caller } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'

const caller: Caller = { tenant: 'acme', scopes: ['exports:write', 'exports:read'], claims: {} }

const column = (name: string, type: 'integer' | 'text') => ({ name, type, declaredType: type, nullable: true, strict: false })

function described(name: string, filters: readonly string[]): TableDescription {
  const columns = [column('id', 'integer'), column('status', 'text'), column('tenant_id', 'text')]
  return { schema: null, name, kind: 'view', columns, primaryKey: ['id'], foreignKeys: [], code: { filters } }
}

function catalog(filters: readonly string[], config: Partial<ResolvedResource> = {}) {
  const resources = { balances: { source: 'code', table: 'balances', tenant: 'shared', ...config } }
  return createCatalog({ resources, descriptions: new Map([['balances', described('balances', filters)]]), retentionMs: 1000 })
}

const request = (part: Partial<PartRequest>, more: Partial<ExportRequest> = {}): ExportRequest => ({
  parts: [{ resource: 'balances', fields: [], includes: [], filters: {}, sort: [], limit: null, ...part }],
  format: 'csv',
  compression: null,
  options: {},
  dryData: false,
  ...more,
})

function refusal(work: () => unknown): FreightError {
  try {
    work()
  } catch (error) {
    if (error instanceof FreightError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a resource in code', () => {
  test('is told whose rows are asked for and by which filters, which it carries out itself', () => {
    const spec = catalog(['status_eq', 'id_in']).check(request({ filters: { status_eq: 'paid', id_in: [1, 2] } }), caller)
    expect(spec.parts[0]).toMatchObject({
      where: null,
      scope: null,
      sort: [],
      code: { tenant: 'acme', filters: { status_eq: 'paid', id_in: [1, 2] } },
    })
    expect(catalog([]).check(request({}), null).parts[0]?.code).toEqual({ tenant: null, filters: {} })
  })

  test('is scoped by its tenant field as a table is', () => {
    const { scope } = catalog([], { tenant: 'tenant_id' }).check(request({}), caller).parts[0] ?? {}
    expect(scope).toMatchObject({ op: 'eq', column: 'tenant_id', value: { text: 'acme' } })
  })

  test('is never asked to do what it does not say it can', () => {
    for (const filters of [['status_eq'], []]) {
      const error = refusal(() => catalog(filters).check(request({ filters: { status_cont: 'x' } }), caller))
      expect(error).toMatchObject({ code: 'FILTER_UNKNOWN', details: { pointer: '/filters/status_cont', allowed: filters } })
    }
    expect(refusal(() => catalog([]).check(request({ sort: ['id'] }), caller))).toMatchObject({
      code: 'SORT_UNKNOWN',
      message: expect.stringContaining('cannot be sorted'),
      details: { pointer: '/sort' },
    })
  })

  test('is given only filter values that fit their fields', () => {
    const error = refusal(() => catalog(['id_gt']).check(request({ filters: { id_gt: 'many' } }), caller))
    expect(error).toMatchObject({ code: 'FILTER_VALUE_INVALID', details: { pointer: '/filters/id_gt' } })
  })

  test('cannot be configured to sort, or to filter by what it has not', () => {
    expect(refusal(() => catalog(['state_eq']))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^resources\.balances\.filters: .*state_eq/),
    })
    expect(refusal(() => catalog([], { sort: '-id' })).message).toMatch(/^resources\.balances\.sort: .*cannot be sorted/)
    const relations = { self: { resource: 'balances', columns: ['id'], foreignColumns: ['id'], kind: 'many' } } as const
    expect(refusal(() => catalog([], { relations })).message).toMatch(/^resources\.balances\.relations/)
  })
})

describe('on_row_error', () => {
  test('is fail unless skip was asked for', () => {
    const check = (more: object) => catalog([]).check(request({}, more), caller).onRowError
    expect([check({}), check({ onRowError: 'fail' }), check({ onRowError: 'skip' })]).toEqual(['fail', 'fail', 'skip'])
    expect(refusal(() => check({ onRowError: 'ignore' }))).toMatchObject({
      code: 'OPTION_INVALID',
      details: { pointer: '/on_row_error', allowed: ['fail', 'skip'] },
    })
  })
})
