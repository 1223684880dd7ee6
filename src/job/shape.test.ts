import { describe, expect, it } from 'vitest'
import { flatLeaves, shapeOf } from './shape.ts'
import type { Join, Selected } from './spec.ts'

const field = (
  name: string,
  position: number,
  differences: { hidden?: boolean; key?: boolean; title?: string } = {},
): Selected => ({
  kind: 'field',
  name,
  column: `db_${name}`,
  type: 'text',
  key: false,
  hidden: false,
  strict: false,
  position,
  ...differences,
})

const join: Join = {
  table: { schema: null, name: 'other' },
  kind: 'table',
  localColumns: ['other_id'],
  foreignColumns: ['id'],
  indexed: true,
  orderBy: ['id'],
  scope: null,
}

const cell = (name: string, differences: { hidden?: boolean; key?: boolean } = {}) => ({
  kind: 'cell',
  name,
  type: 'text',
  key: false,
  hidden: false,
  ...differences,
})

/** number, customer { name, city { name } }, lines [ { sku { code }, count } ], note: asked for as note, city, lines, number, customer. */
const ORDER: readonly Selected[] = [
  field('id', 0, { hidden: true, key: true }),
  field('number', 3),
  {
    kind: 'one',
    name: 'customer',
    join,
    select: [field('name', 4), { kind: 'one', name: 'city', join, select: [field('name', 1)] }],
  },
  {
    kind: 'many',
    name: 'lines',
    join,
    position: 2,
    select: [{ kind: 'one', name: 'sku', join, select: [field('code', 0)] }, field('count', 1)],
  },
  field('note', 0),
]

describe('the flat layout', () => {
  it('opens to-one relations, puts hidden cells first and follows the order that was asked for', () => {
    expect(shapeOf(ORDER, 'flat')).toEqual([
      cell('id', { hidden: true, key: true }),
      cell('note'),
      cell('customer.city.name'),
      { kind: 'many', name: 'lines', cells: [{ kind: 'one', name: 'sku', cells: [cell('code')] }, cell('count')] },
      cell('number'),
      cell('customer.name'),
    ])
  })

  it('calls a field by its title where it has one', () => {
    expect(shapeOf([field('id', 0, { title: 'Number' })], 'flat')).toEqual([cell('Number')])
  })

  it('names a to-many relation behind a to-one by its whole path', () => {
    const select: Selected[] = [
      {
        kind: 'one',
        name: 'customer',
        join,
        select: [{ kind: 'many', name: 'orders', join, position: 0, select: [field('id', 0)] }],
      },
    ]
    expect(shapeOf(select, 'flat')).toEqual([{ kind: 'many', name: 'customer.orders', cells: [cell('id')] }])
  })

  it('tells the way to each leaf', () => {
    const ways = flatLeaves(ORDER).map(({ path, leaf }) => [...path.map((step) => step.name), leaf.name])
    expect(ways).toEqual([['id'], ['note'], ['customer', 'city', 'name'], ['lines'], ['number'], ['customer', 'name']])
  })

  it('keeps several hidden cells in the order of the tree', () => {
    const select = [field('b', 9, { hidden: true }), field('x', 0), field('a', 1, { hidden: true })]
    expect(shapeOf(select, 'flat').map((shape) => shape.name)).toEqual(['b', 'a', 'x'])
  })
})

describe('the nested layout', () => {
  it('is the tree as it stands', () => {
    expect(shapeOf(ORDER, 'nested')).toEqual([
      cell('id', { hidden: true, key: true }),
      cell('number'),
      { kind: 'one', name: 'customer', cells: [cell('name'), { kind: 'one', name: 'city', cells: [cell('name')] }] },
      { kind: 'many', name: 'lines', cells: [{ kind: 'one', name: 'sku', cells: [cell('code')] }, cell('count')] },
      cell('note'),
    ])
  })

  it('of nothing is nothing', () => {
    expect(shapeOf([], 'nested')).toEqual([])
    expect(shapeOf([], 'flat')).toEqual([])
  })
})
