/** The part of the sources' contract about relations: what nests, what is scoped, and what never multiplies rows. */
import { describe, expect, it } from 'vitest'
import type { Join } from '../../src/job/spec.ts'
import type { Source } from '../../src/sources/source.ts'
import { compare, field, join, many, one, part, readColumn, readRows, rowsOf } from './sample-part.ts'
import { acme, customer, customersOfRegion, itemsOfOrder, ordersOfCustomer, region } from './source-sample.ts'

export function describeRelations(source: () => Source): void {
  describe('relations', () => {
    it('a to-one relation is a mark and its cells, all null where there is none', async () => {
      const select = ['id', one('customer', customer, [field('name'), one('region', region, [field('name')])])]
      expect(await readRows(source(), part('orders', select))).toEqual([
        [1, 1, 'Ann', 1, 'North'],
        [2, 1, 'Ann', 1, 'North'],
        [3, 1, 'Bob', 1, 'North'],
        [4, 0, null, 0, null],
        [5, 1, 'Dee', 1, 'South'],
      ])
    })

    it('the flat layout has the cells of to-one relations in the order that was asked for, and no marks', async () => {
      const select = [
        one('customer', customer, [field('name', { position: 0 }), one('region', region, [field('id', { position: 2 })])]),
        field('id', { position: 1 }),
      ]
      const asked = { ...part('orders', []), select, limit: 2 }
      const snapshot = await source().open({ parts: [asked], layout: 'flat' }, new AbortController().signal)
      expect(snapshot.shape(0).map((cell) => cell.name)).toEqual(['customer.name', 'id', 'customer.region.id'])
      expect(await rowsOf(snapshot)).toEqual([
        ['Ann', 1, 1],
        ['Ann', 2, 1],
      ])
      await snapshot.close()
    })

    it('a to-many relation is the JSON text of its rows in the order of their key, NULL for none', async () => {
      const select = ['id', many('orders', ordersOfCustomer, [field('id'), field('status')])]
      expect(await readRows(source(), part('customers', select))).toEqual([
        [1, '[[1,"paid"],[2,"open"]]'],
        [2, '[[3,"paid"]]'],
        [3, null],
        [4, '[[5,"paid"]]'],
      ])
    })

    it('relations nest three levels deep, with an index and without', async () => {
      const items = many('items', itemsOfOrder, [field('sku')])
      const orders = many('orders', ordersOfCustomer, [field('id'), items, one('customer', customer, [field('name')])])
      const select = ['name', many('customers', customersOfRegion, [field('name'), orders])]
      const [north, south, empty] = await readRows(source(), part('regions', select))
      const nested = JSON.parse(String(north?.[1])) as [string, string][]
      expect(nested.map(([customerName]) => customerName)).toEqual(['Ann', 'Bob'])
      expect(JSON.parse(nested[0]?.[1] ?? '')).toEqual([
        [1, '[["A"],["B"]]', 1, 'Ann'],
        [2, '[["A"]]', 1, 'Ann'],
      ])
      expect(JSON.parse(nested[1]?.[1] ?? '')).toEqual([[3, null, 1, 'Bob']])
      expect(south?.[1]).not.toBeNull()
      expect(empty).toEqual(['Empty', null])
    })

    it("another tenant's rows are not reached through a relation", async () => {
      const theirs = compare('eq', 'tenant_id', 'text', 'other')
      const scoped = (relation: Join): Join => ({ ...relation, scope: acme })
      const select = ['id', one('customer', scoped(customer), [field('name')])]
      expect(await readRows(source(), part('orders', select, { scope: theirs }))).toEqual([[5, 0, null]])
      const withOrders = ['id', many('orders', scoped(ordersOfCustomer), [field('id')])]
      expect(await readRows(source(), part('customers', withOrders, { scope: theirs }))).toEqual([[4, null]])
      const bySku = { op: 'related' as const, join: scoped(customer), where: compare('eq', 'name', 'text', 'Dee') }
      expect(await readColumn(source(), part('orders', ['id'], { where: bySku }))).toEqual([])
    })

    it('a to-one relation whose columns are not unique takes the first row by key and never multiplies', async () => {
      const note = join('notes', 'id', 'order_id', { indexed: false })
      const select = ['id', one('note', note, [field('body')])]
      expect(await readRows(source(), part('orders', select, { limit: 3 }))).toEqual([
        [1, 1, 'first'],
        [2, 1, 'third'],
        [3, 0, null],
      ])
      const firstOrder = part('customers', ['id', one('order', ordersOfCustomer, [field('status')])], { limit: 3 })
      expect(await readRows(source(), firstOrder)).toEqual([
        [1, 1, 'paid'],
        [2, 1, 'paid'],
        [3, 0, null],
      ])
      const byY = { ...note, scope: compare('eq', 'author', 'text', 'y') }
      expect(await readRows(source(), part('orders', ['id', one('note', byY, [field('body')])], { limit: 2 }))).toEqual([
        [1, 1, 'second'],
        [2, 0, null],
      ])
    })

    it('a view is read, joined and filtered by like a table', async () => {
      const view = { kind: 'view' as const, primaryKey: [] }
      expect(await readRows(source(), part('big_orders', ['id', one('customer', customer, [field('name')])], view))).toEqual([
        [1, 1, 'Ann'],
        [2, 1, 'Ann'],
        [5, 1, 'Dee'],
      ])
      const big = join('big_orders', 'id', 'customer_id', { kind: 'view', indexed: false, orderBy: [] })
      const select = ['id', many('big', big, [field('id')])]
      expect(
        await readRows(
          source(),
          part('customers', select, { where: { op: 'related', join: big, where: { op: 'and', of: [] } } }),
        ),
      ).toEqual([
        [1, '[[1],[2]]'],
        [4, '[[5]]'],
      ])
      const sorted = part('big_orders', ['id'], { ...view, sort: [{ path: [], column: 'id', descending: true }], limit: 2 })
      expect(await readColumn(source(), sorted)).toEqual([5, 2])
    })
  })
}
