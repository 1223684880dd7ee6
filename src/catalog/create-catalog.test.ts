import { describe, expect, test } from 'vitest'
import { seeded } from '../../test/random.ts'
import { callerOf, check, checkedPart, DAY_MS, refusalOf, request, resource, shopCatalog } from '../../test/shop-catalog.ts'
import { FreightError } from '../job/errors.ts'
import type { CellType } from '../job/row-text.ts'
import type { ExportRequest, PartRequest, Predicate, Selected } from '../job/spec.ts'
import type { PublicResource } from './catalog.ts'
import { PREDICATES, predicatesFor } from './predicates.ts'

describe('a checked spec', () => {
  test('holds everything that is needed to read and write', () => {
    const spec = check({ fields: ['id'], limit: 10, compression: 'zstd' })
    expect(spec).toMatchObject({ source: 'main', format: 'csv', compression: 'zstd', retentionMs: DAY_MS })
    expect(spec.parts).toMatchObject([
      {
        resource: 'orders',
        table: { schema: null, name: 'orders' },
        kind: 'table',
        primaryKey: ['id'],
        limit: 10,
        maxRows: 5_000,
      },
    ])
    expect(checkedPart({ resource: 'order_totals' })).toMatchObject({ kind: 'view', primaryKey: [], limit: null, maxRows: null })
  })

  test('of several parts is kept as long as its strictest resource allows', () => {
    const { parts } = request({ resource: 'customers' })
    const both = { ...request({}), parts: [...parts, ...request({ resource: 'orders' }).parts] }
    expect(shopCatalog().check(both, callerOf('acme')).retentionMs).toBe(DAY_MS)
    expect(check({ resource: 'customers' }).retentionMs).toBe(7 * DAY_MS)
  })
})

describe('resources, limits and parts that are refused', () => {
  test.each(['order', 'Orders', 'ORDERS', '', 'pg_catalog.pg_authid', 'sqlite_master', '__proto__', 'constructor', 'orders '])(
    'the resource "%s"',
    (name) => {
      const error = refusalOf(() => check({ resource: name }))
      expect(error.place).toBe('RESOURCE_UNKNOWN /resource')
      expect(error.details.allowed).toEqual(['customers', 'orders', 'line_items', 'skus', 'messages', 'order_totals'])
    },
  )

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5' as unknown as number])('the limit %s', (limit) => {
    expect(refusalOf(() => check({ limit })).place).toBe('LIMIT_INVALID /limit')
  })

  test('no parts, or too many', () => {
    const { parts } = request({})
    const of = (count: number): ExportRequest => ({ ...request({}), parts: Array.from({ length: count }, () => parts).flat() })
    expect(refusalOf(() => shopCatalog().check(of(0), callerOf('acme'))).place).toBe('VALIDATION_FAILED /parts')
    expect(refusalOf(() => shopCatalog().check(of(21), callerOf('acme'))).place).toBe('VALIDATION_FAILED /parts')
  })

  test('parts of two sources; and each part has its own place', () => {
    const catalog = shopCatalog({ skus: resource('skus', { source: 'other', tenant: 'shared' }) })
    const two = (more: object): ExportRequest => ({
      ...request({}),
      parts: [...request({}).parts, ...request({ resource: 'skus', ...more }).parts],
    })
    expect(refusalOf(() => catalog.check(two({}), callerOf('acme'))).place).toBe('VALIDATION_FAILED /parts/1/resource')
    expect(refusalOf(() => shopCatalog().check(two({ fields: ['x'] }), callerOf('acme'))).place).toBe(
      'FIELD_UNKNOWN /parts/1/fields/0',
    )
    expect(refusalOf(() => shopCatalog().check(two({ filters: { x: 1 } }), callerOf('acme'))).place).toBe(
      'FILTER_UNKNOWN /parts/1/filters/x',
    )
  })
})

test.each([
  [{ fields: ['password_hash'] }, 'FIELD_UNKNOWN'],
  [{ filters: { password_hash_start: 'a' } }, 'FILTER_UNKNOWN'],
  [{ sort: ['password_hash'] }, 'SORT_UNKNOWN'],
  [{ includes: ['password_hash'] }, 'RELATION_UNKNOWN'],
])('a hidden column is unknown: %j', (asked, code) => {
  const error = refusalOf(() => check({ resource: 'customers', ...asked }))
  expect(error.code).toBe(code)
  expect(JSON.stringify(error.details.allowed)).not.toContain('password')
})

/** Mostly names and values that fit, so that much is taken; the rest from what callers get wrong. */
const WRONG_NAMES = ['password_hash', '__proto__', 'a.b.c.d.e', "x'--", '*', '']
const WRONG_VALUES: readonly unknown[] = [null, {}, [null], '\0', '\ud800', '2024-02-30', 1e300, Number.NaN, ['\\'], 'now()']
const FITTING: Readonly<Record<CellType, readonly unknown[]>> = {
  text: ['paid', '', '%_', "' or 1=1--"],
  integer: [5, '-5', '9223372036854775807'],
  decimal: [1.5, '1.10'],
  float: [0.1, '-1e-7'],
  boolean: [true, false],
  date: ['2024-02-29'],
  time: ['13:45'],
  timestamp: ['2024-02-29T13:45:10.5+02:00', '2024-02-29'],
  uuid: ['0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12'],
  json: [{ a: [1] }, 'x', []],
  bytes: [''],
  any: ['x', 5],
}

function randomRequest(next: () => number, resources: readonly PublicResource[]): ExportRequest {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(next() * values.length)] as Value
  const chance = (share: number): boolean => next() < share
  const some = <Value>(most: number, make: () => Value): Value[] => Array.from({ length: Math.floor(next() * (most + 1)) }, make)
  const walk = (from: PublicResource, kinds: readonly string[]): { prefix: string; resource: PublicResource } => {
    let at = { prefix: '', resource: from }
    while (chance(0.3)) {
      const relation = pick(at.resource.relations.filter(({ kind }) => kinds.includes(kind)))
      const resource = resources.find(({ name }) => name === relation?.resource)
      if (relation && resource) at = { prefix: `${at.prefix}${relation.name}.`, resource }
    }
    return at
  }
  const attribute = (from: PublicResource, kinds = ['one', 'many']): { name: string; type: CellType } => {
    const { prefix, resource } = walk(from, kinds)
    const field = pick(resource.fields)
    return { name: prefix + (chance(0.02) ? pick(WRONG_NAMES) : field.name), type: field.type }
  }
  const filter = (from: PublicResource): [string, unknown] => {
    const { name, type } = attribute(from)
    const predicate = chance(0.02) ? 'equals' : pick(predicatesFor(type))
    const takes = PREDICATES.get(predicate)?.takes
    const fitting = takes === 'flag' ? chance(0.5) : takes === 'list' ? some(3, () => pick(FITTING[type])) : pick(FITTING[type])
    const other = chance(0.1) ? `${attribute(from).name}_or_` : ''
    return [`${other}${name}_${predicate}`, chance(0.03) ? pick(WRONG_VALUES) : fitting]
  }
  const part = (): PartRequest => {
    const from = pick(resources)
    return {
      resource: chance(0.02) ? 'nothing' : from.name,
      fields: chance(0.6) ? [] : some(4, () => attribute(from).name),
      includes: some(1, () => walk(from, ['one', 'many']).prefix.slice(0, -1)).filter((path) => path !== ''),
      filters: Object.fromEntries(some(chance(0.8) ? 3 : 20, () => filter(from))),
      sort: some(2, () => (chance(0.5) ? '-' : '') + attribute(from, ['one']).name),
      limit: chance(0.9) ? null : Math.floor(next() * 5),
    }
  }
  return {
    parts: [part(), ...(chance(0.1) ? [part()] : [])],
    format: pick(['csv', 'json', 'ndjson']),
    compression: pick([null, 'gzip', 'zstd']),
    options: chance(0.9) ? {} : { delimiter: pick([';', '"', null]), profile: pick(['machine', 'excel', null]) },
    dryData: chance(0.2),
  }
}

/** Every scope on the way to any row, with the table it stands for. */
function scopes(select: readonly Selected[], where: Predicate | null): [string, unknown][] {
  const inTree = select.flatMap((node): [string, unknown][] => {
    return node.kind === 'field' ? [] : [[node.join.table.name, node.join.scope], ...scopes(node.select, null)]
  })
  const inWhere = (predicate: Predicate): [string, unknown][] => {
    if (predicate.op === 'related') return [[predicate.join.table.name, predicate.join.scope], ...inWhere(predicate.where)]
    if (predicate.op === 'not') return inWhere(predicate.of)
    return predicate.op === 'and' || predicate.op === 'or' ? predicate.of.flatMap(inWhere) : []
  }
  return where ? [...inTree, ...inWhere(where)] : inTree
}

test('2,000 random requests are each refused with a place, or come out as plain data inside their scope', () => {
  const catalog = shopCatalog()
  const own = { op: 'eq', column: 'tenant_id', type: 'text', value: { type: 'text', text: 'acme' } }
  const shared = new Set(['skus', 'order_totals'])
  const outcomes = { refused: 0, checked: 0, filtered: 0 }
  for (let seed = 1; seed <= 2_000; seed += 1) {
    const asked = randomRequest(seeded(seed), catalog.resources(null))
    try {
      const spec = catalog.check(asked, callerOf('acme'))
      outcomes.checked += 1
      expect(JSON.parse(JSON.stringify(spec)), `seed ${seed}`).toEqual(spec)
      for (const { table, scope, select, where, sort } of spec.parts) {
        if (where) outcomes.filtered += 1
        const joins = sort.flatMap(({ path }) => path.map((join): [string, unknown] => [join.table.name, join.scope]))
        for (const [name, found] of [[table.name, scope] as [string, unknown], ...joins, ...scopes(select, where)]) {
          expect(found, `seed ${seed}: ${name}`).toEqual(shared.has(name) ? null : own)
        }
      }
    } catch (error) {
      if (!(error instanceof FreightError)) throw error
      outcomes.refused += 1
      expect(error.code, `seed ${seed}`).toMatch(
        /_UNKNOWN$|_INVALID$|_TOO_DEEP$|_AMBIGUOUS$|^TOO_MANY_COLUMNS$|^VALIDATION_FAILED$/,
      )
      expect(error.details.pointer, `seed ${seed}`).toMatch(/^\//)
    }
  }
  // Neither side may be empty, or the property says nothing.
  expect(outcomes.checked).toBeGreaterThan(500)
  expect(outcomes.filtered).toBeGreaterThan(300)
  expect(outcomes.refused).toBeGreaterThan(300)
})
