/** What every source must keep. SQL here is what all of them understand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Join, Predicate } from '../../src/job/spec.ts'
import type { Snapshot, Source } from '../../src/sources/source.ts'
import { compare, field, join, many, one, part, readColumn, readRows, rowsOf, value } from './sample-part.ts'

export interface SourceUnderTest {
  readonly source: Source
  /** Changes the database as another program would, committed when it resolves. */
  write(sql: string): Promise<void>
  close(): Promise<void>
}

const SCHEMA = `
  create table regions (id integer primary key, tenant_id text, name text);
  create table customers (id integer primary key, tenant_id text, name text, email text, region_id integer references regions (id));
  create table orders (id integer primary key, tenant_id text, customer_id integer references customers (id), status text, total numeric);
  create index orders_customer on orders (customer_id);
  create table items (id integer primary key, order_id integer references orders (id), sku text);
  create table notes (id integer primary key, order_id integer, author text, body text);
  create view big_orders as select id, customer_id, total from orders where total > 10;
  insert into regions values (1, 'acme', 'North'), (2, 'acme', 'South'), (3, 'acme', 'Empty');
  insert into customers values (1, 'acme', 'Ann', 'a@x', 1), (2, 'acme', 'Bob', null, 1), (3, 'acme', 'Cyd', '', null), (4, 'other', 'Dee', 'd@x', 2);
  insert into orders values (1, 'acme', 1, 'paid', 10.5), (2, 'acme', 1, 'open', 20), (3, 'acme', 2, 'paid', null), (4, 'acme', null, 'open', 5), (5, 'other', 4, 'paid', 99);
  insert into items values (1, 1, 'A'), (2, 1, 'B'), (3, 2, 'A'), (4, 5, 'Z');
  insert into notes values (1, 1, 'x', 'first'), (2, 1, 'y', 'second'), (3, 2, 'x', 'third');
  create table things (id integer primary key, t text, i bigint, d numeric, b boolean, day date, "at" timestamp, j text, u text);
  insert into things values
    (1, 'apple', 5, 1.5, true, '2024-02-29', '2024-02-29 12:00:00', '{"a":1,"b":[1,2]}', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12'),
    (2, 'Apple', -7, 100, false, '2024-03-01', '2024-02-29 12:00:00.000001', '[1,"x"]', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d13'),
    (3, '', 9007199254740993, 0.1, true, '2023-12-31', '2024-03-01 00:00:00', '{"a":{"c":true}}', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d14'),
    (4, null, null, null, null, null, null, null, null),
    (5, '50%_\\', 9223372036854775807, 20, false, '1999-01-01', '1999-01-01 23:59:59.5', '7', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d15');
  create table "ro""w ; --" (id integer primary key, "a""b" text, "select" text, "ü 'x'" text);
  insert into "ro""w ; --" values (1, 'one', 'two', 'three');
  create table numbers (id integer primary key, n integer, pad text);
`

const acme = compare('eq', 'tenant_id', 'text', 'acme')
const customer = join('customers', 'customer_id', 'id')
const region = join('regions', 'region_id', 'id')
const ordersOfCustomer = join('orders', 'id', 'customer_id')
const customersOfRegion = join('customers', 'id', 'region_id', { indexed: false })
const itemsOfOrder = join('items', 'id', 'order_id', { indexed: false })

/** `make` gives a source over an empty database in which these statements were run. */
export function describeSource(name: string, make: (statements: string) => Promise<SourceUnderTest>): void {
  describe(`${name} keeps the contract of a source`, () => {
    let made: SourceUnderTest
    let source: Source
    beforeAll(async () => {
      made = await make(SCHEMA)
      source = made.source
      const rows = Array.from({ length: 10_000 }, (_, n) => `(${n + 1}, ${n % 10}, '${'p'.repeat(100)}')`)
      await made.write(`insert into numbers values ${rows.join(',')}`)
    })
    afterAll(() => made.close())

    const never = (): AbortSignal => new AbortController().signal
    const open = (...parts: ReturnType<typeof part>[]): Promise<Snapshot> => source.open({ parts, layout: 'nested' }, never())
    const matching = (where: Predicate): Promise<unknown[]> => readColumn(source, part('things', ['id'], { where }))

    describe('what it knows of its tables', () => {
      it('lists tables and views by name', async () => {
        expect(await source.tables()).toEqual(
          ['big_orders', 'customers', 'items', 'notes', 'numbers', 'orders', 'regions', 'ro"w ; --', 'things'].sort(),
        )
      })

      it('tells columns, key and foreign keys, and whether an index serves them', async () => {
        const orders = await source.describe('orders')
        expect(orders).toMatchObject({ name: 'orders', kind: 'table', primaryKey: ['id'] })
        expect(orders?.columns.map(({ name: column, type }) => [column, type])).toEqual([
          ['id', 'integer'],
          ['tenant_id', 'text'],
          ['customer_id', 'integer'],
          ['status', 'text'],
          ['total', 'decimal'],
        ])
        expect(orders?.foreignKeys).toEqual([
          { columns: ['customer_id'], table: 'customers', foreignColumns: ['id'], indexed: true },
        ])
        const items = await source.describe('items')
        expect(items?.foreignKeys).toEqual([{ columns: ['order_id'], table: 'orders', foreignColumns: ['id'], indexed: false }])
        expect((await source.describe('big_orders'))?.kind).toBe('view')
      })

      it('answers null for a table that is not there', async () => {
        expect(await source.describe('nothing')).toBeNull()
        expect(await source.describe("x'; drop table orders; --")).toBeNull()
        expect(await source.describe('ord\0ers')).toBeNull()
      })

      it('estimates without claiming to be exact', async () => {
        const { rows, exact } = await source.estimate(part('numbers', ['id']), never())
        expect(exact).toBe(false)
        expect(rows === null || rows >= 0).toBe(true)
      })
    })

    describe('a snapshot', () => {
      it('does not see what is written after it was opened', async () => {
        const snapshot = await open(
          part('regions', ['id']),
          part('regions', ['name'], { where: compare('eq', 'id', 'integer', '9') }),
        )
        try {
          await made.write("insert into regions values (9, 'acme', 'Late')")
          expect(await rowsOf(snapshot, 0)).toEqual([[1], [2], [3]])
          expect(await snapshot.count(0, { ms: 5_000 })).toEqual({ rows: 3, exact: true })
          expect(await rowsOf(snapshot, 1)).toEqual([])
          await made.write('delete from regions where id = 9')
        } finally {
          await snapshot.close()
        }
      })

      it('tells when it was taken', async () => {
        const before = Date.now()
        const snapshot = await open(part('regions', ['id']))
        await snapshot.close()
        expect(
          snapshot.takenAt === null || (snapshot.takenAt.getTime() >= before && snapshot.takenAt.getTime() <= Date.now()),
        ).toBe(true)
      })

      it('counts before, during and after the rows, and the same', async () => {
        const snapshot = await open(part('numbers', ['id', 'pad']))
        try {
          expect(await snapshot.count(0, { ms: 5_000 })).toEqual({ rows: 10_000, exact: true })
          const counted = snapshot.count(0, { ms: 5_000 })
          expect((await rowsOf(snapshot)).length).toBe(10_000)
          expect(await counted).toEqual({ rows: 10_000, exact: true })
          expect(await snapshot.count(0, { ms: 5_000 })).toEqual({ rows: 10_000, exact: true })
        } finally {
          await snapshot.close()
        }
      })

      it('answers a count that was asked for beside filtered rows', async () => {
        const where = compare('lt', 'n', 'integer', '3')
        const snapshot = await open(part('numbers', ['id', 'pad'], { where }))
        try {
          const counted = snapshot.count(0, { ms: 5_000 })
          expect((await rowsOf(snapshot)).length).toBe(3_000)
          expect(await counted).toEqual({ rows: 3_000, exact: true })
        } finally {
          await snapshot.close()
        }
      })

      it('can be closed twice, and while rows are read, which then throws', async () => {
        const snapshot = await open(part('numbers', ['id', 'pad']))
        let read = 0
        const reading = (async () => {
          for await (const { rows } of snapshot.rows(0)) {
            read += rows
            await snapshot.close()
          }
        })()
        await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
        expect(read).toBeLessThan(10_000)
        await snapshot.close()
      })

      it('is aborted in the middle: rows and counts reject, and the rows do not end', async () => {
        const stop = new AbortController()
        const snapshot = await source.open({ parts: [part('numbers', ['id', 'pad'])], layout: 'flat' }, stop.signal)
        const reading = (async () => {
          for await (const chunk of snapshot.rows(0)) if (chunk.rows > 0) stop.abort()
        })()
        await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
        await expect(snapshot.count(0, { ms: 1_000 })).rejects.toMatchObject({ code: 'ABORTED' })
        await snapshot.close()
      })

      it('is refused by an abort that came first', async () => {
        const query = { parts: [part('regions', ['id'])], layout: 'flat' as const }
        await expect(source.open(query, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
        expect(await readColumn(source, part('regions', ['id']))).toEqual([1, 2, 3])
      })

      it('is left in the middle of its rows by a reader that has enough', async () => {
        const snapshot = await open(part('numbers', ['id', 'pad']), part('regions', ['id']))
        for await (const chunk of snapshot.rows(0)) if (chunk.rows > 0) break
        expect(await rowsOf(snapshot, 1)).toEqual([[1], [2], [3]])
        await snapshot.close()
      })

      it('names the table or column that is gone', async () => {
        await expect(open(part('gone', ['id']))).rejects.toMatchObject({
          code: 'SOURCE_CHANGED',
          message: expect.stringContaining('"gone"'),
        })
        await expect(open(part('orders', ['id', 'colour']))).rejects.toMatchObject({
          code: 'SOURCE_CHANGED',
          message: expect.stringMatching(/"orders".*"colour"/),
        })
        const filtered = part('orders', ['id'], { where: { op: 'is_null', column: 'colour' } })
        await expect(open(filtered)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
      })
    })

    describe('limits and order', () => {
      it('reads in the order of the key', async () => {
        const ids = await readColumn(source, part('numbers', ['id']))
        expect(ids).toEqual(Array.from({ length: 10_000 }, (_, n) => n + 1))
      })

      it.each([0, 1, 499, 500, 501, 4_500, 10_000, 20_000])('gives at most %i rows, and counts so many', async (limit) => {
        for (const where of [null, compare('gteq', 'n', 'integer', '0')]) {
          const snapshot = await open(part('numbers', ['id', 'pad'], { limit, where }))
          const counted = await snapshot.count(0, { ms: 5_000 })
          const rows = await rowsOf(snapshot)
          await snapshot.close()
          expect(rows.length).toBe(Math.min(limit, 10_000))
          expect(counted).toEqual({ rows: Math.min(limit, 10_000), exact: true })
        }
      })

      it('sorts by bytes, NULL last ascending and first descending', async () => {
        const sorted = (descending: boolean): Promise<unknown[]> =>
          readColumn(source, part('things', ['t'], { sort: [{ path: [], column: 't', descending }] }))
        expect(await sorted(false)).toEqual(['', '50%_\\', 'Apple', 'apple', null])
        expect(await sorted(true)).toEqual([null, 'apple', 'Apple', '50%_\\', ''])
      })

      it('breaks ties by the primary key, and gives the same first rows with a limit', async () => {
        const sort = [{ path: [], column: 'n', descending: true }]
        const all = await readColumn(source, part('numbers', ['id'], { sort }))
        expect(all.slice(0, 3)).toEqual([10, 20, 30])
        expect(await readColumn(source, part('numbers', ['id'], { sort, limit: 20 }))).toEqual(all.slice(0, 20))
      })

      it('sorts by a column of a related row', async () => {
        const sort = [{ path: [customer, region], column: 'name', descending: true }]
        expect(await readColumn(source, part('orders', ['id'], { sort }))).toEqual([4, 5, 1, 2, 3])
      })
    })

    describe('relations', () => {
      it('a to-one relation is a mark and its cells, all null where there is none', async () => {
        const select = ['id', one('customer', customer, [field('name'), one('region', region, [field('name')])])]
        expect(await readRows(source, part('orders', select))).toEqual([
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
        const snapshot = await source.open({ parts: [asked], layout: 'flat' }, never())
        expect(snapshot.shape(0).map((cell) => cell.name)).toEqual(['customer.name', 'id', 'customer.region.id'])
        expect(await rowsOf(snapshot)).toEqual([
          ['Ann', 1, 1],
          ['Ann', 2, 1],
        ])
        await snapshot.close()
      })

      it('a to-many relation is the JSON text of its rows in the order of their key, NULL for none', async () => {
        const select = ['id', many('orders', ordersOfCustomer, [field('id'), field('status')])]
        expect(await readRows(source, part('customers', select))).toEqual([
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
        const [north, south, empty] = await readRows(source, part('regions', select))
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
        expect(await readRows(source, part('orders', select, { scope: theirs }))).toEqual([[5, 0, null]])
        const withOrders = ['id', many('orders', scoped(ordersOfCustomer), [field('id')])]
        expect(await readRows(source, part('customers', withOrders, { scope: theirs }))).toEqual([[4, null]])
        const bySku = { op: 'related' as const, join: scoped(customer), where: compare('eq', 'name', 'text', 'Dee') }
        expect(await readColumn(source, part('orders', ['id'], { where: bySku }))).toEqual([])
      })

      it('a to-one relation whose columns are not unique takes the first row by key and never multiplies', async () => {
        const note = join('notes', 'id', 'order_id', { indexed: false })
        const select = ['id', one('note', note, [field('body')])]
        expect(await readRows(source, part('orders', select, { limit: 3 }))).toEqual([
          [1, 1, 'first'],
          [2, 1, 'third'],
          [3, 0, null],
        ])
        const firstOrder = part('customers', ['id', one('order', ordersOfCustomer, [field('status')])], { limit: 3 })
        expect(await readRows(source, firstOrder)).toEqual([
          [1, 1, 'paid'],
          [2, 1, 'paid'],
          [3, 0, null],
        ])
        const byY = { ...note, scope: compare('eq', 'author', 'text', 'y') }
        expect(await readRows(source, part('orders', ['id', one('note', byY, [field('body')])], { limit: 2 }))).toEqual([
          [1, 1, 'second'],
          [2, 0, null],
        ])
      })

      it('a view is read, joined and filtered by like a table', async () => {
        const view = { kind: 'view' as const, primaryKey: [] }
        expect(await readRows(source, part('big_orders', ['id', one('customer', customer, [field('name')])], view))).toEqual([
          [1, 1, 'Ann'],
          [2, 1, 'Ann'],
          [5, 1, 'Dee'],
        ])
        const big = join('big_orders', 'id', 'customer_id', { kind: 'view', indexed: false, orderBy: [] })
        const select = ['id', many('big', big, [field('id')])]
        expect(
          await readRows(
            source,
            part('customers', select, { where: { op: 'related', join: big, where: { op: 'and', of: [] } } }),
          ),
        ).toEqual([
          [1, '[[1],[2]]'],
          [4, '[[5]]'],
        ])
        const sorted = part('big_orders', ['id'], { ...view, sort: [{ path: [], column: 'id', descending: true }], limit: 2 })
        expect(await readColumn(source, sorted)).toEqual([5, 2])
      })
    })

    describe('filters', () => {
      const like = (pattern: string): Predicate => ({ op: 'like', column: 't', pattern })
      const not = (of: Predicate): Predicate => ({ op: 'not', of })
      const contains = (json: string): Predicate => ({ op: 'json_contains', column: 'j', json })
      const among = (type: 'text' | 'integer' | 'decimal' | 'timestamp', column: string, ...texts: string[]): Predicate => ({
        op: 'in',
        column,
        type,
        values: texts.map((text) => value(type, text)),
      })

      it.each<[string, Predicate, number[]]>([
        ['everything', { op: 'and', of: [] }, [1, 2, 3, 4, 5]],
        ['nothing', { op: 'or', of: [] }, []],
        ['NULL', { op: 'is_null', column: 't' }, [4]],
        ['not NULL', not({ op: 'is_null', column: 't' }), [1, 2, 3, 5]],
        ['text, by case', compare('eq', 't', 'text', 'apple'), [1]],
        ['the empty text, which is not NULL', compare('eq', 't', 'text', ''), [3]],
        ['text by bytes', compare('gt', 't', 'text', 'Apple'), [1]],
        ['a negation leaves NULL out', not(compare('eq', 't', 'text', 'apple')), [2, 3, 5]],
        ['an injection is a text', compare('eq', 't', 'text', "' or 1=1 --"), []],
        ['a negative integer', compare('lt', 'i', 'integer', '0'), [2]],
        ['an integer beyond 2^53', compare('eq', 'i', 'integer', '9007199254740993'), [3]],
        ['not its neighbour', compare('eq', 'i', 'integer', '9007199254740992'), []],
        ['the largest integer', compare('gteq', 'i', 'integer', '9223372036854775807'), [5]],
        ['a decimal', compare('eq', 'd', 'decimal', '0.1'), [3]],
        ['a decimal with zeros behind', compare('eq', 'd', 'decimal', '1.50'), [1]],
        ['decimals as numbers, not text', compare('gt', 'd', 'decimal', '20'), [2]],
        ['a decimal of many digits', compare('lteq', 'd', 'decimal', `0.1${'0'.repeat(400)}`), [3]],
        ['true', compare('eq', 'b', 'boolean', 'true'), [1, 3]],
        ['false', compare('eq', 'b', 'boolean', 'false'), [2, 5]],
        ['a date', compare('lteq', 'day', 'date', '2024-02-29'), [1, 3, 5]],
        ['an instant', compare('eq', 'at', 'timestamp', '2024-02-29T12:00:00Z'), [1]],
        ['an instant to the microsecond', compare('gt', 'at', 'timestamp', '2024-02-29T12:00:00Z'), [2, 3]],
        ['an instant, given with zeros', compare('eq', 'at', 'timestamp', '2024-02-29T12:00:00.0000010Z'), [2]],
        ['before an instant', compare('lt', 'at', 'timestamp', '2024-02-29T12:00:00.000001Z'), [1, 5]],
        ['a UUID in upper case', compare('eq', 'u', 'uuid', '0190A7B0-5D3C-7E2F-9A41-3C5B8E6F7D12'), [1]],
        ['a list of texts', among('text', 't', 'apple', '', "it's", '"', '50%_\\'), [1, 3, 5]],
        ['an empty list', among('text', 't'), []],
        ['a list of integers', among('integer', 'i', '5', '9007199254740993'), [1, 3]],
        ['a list of decimals', among('decimal', 'd', '100.00', '0.1'), [2, 3]],
        ['a list of instants', among('timestamp', 'at', '2024-03-01T00:00:00Z', '1999-01-01T23:59:59.500Z'), [3, 5]],
        ['not in a list leaves NULL out', not(among('integer', 'i', '5')), [2, 3, 5]],
        ['LIKE ignores case', like('APP%'), [1, 2]],
        ['LIKE with one character', like('appl_'), [1, 2]],
        ['LIKE with escaped wildcards', like('50\\%\\_\\\\'), [5]],
        ['LIKE of the empty text', like(''), [3]],
        ['JSON that holds a member', contains('{"a":1}'), [1]],
        ['JSON that holds an element', contains('{"b":[2]}'), [1]],
        ['JSON that holds a nested member', contains('{"a":{"c":true}}'), [3]],
        ['a JSON array that holds a value', contains('["x"]'), [2]],
        ['a JSON scalar', contains('7'), [5]],
        ['any JSON object', contains('{}'), [1, 3]],
        [
          'and within or',
          {
            op: 'or',
            of: [
              { op: 'and', of: [like('a%'), compare('gt', 'i', 'integer', '0')] },
              { op: 'is_null', column: 'd' },
            ],
          },
          [1, 4],
        ],
      ])('%s', async (_what, where, ids) => {
        expect(await matching(where)).toEqual(ids)
      })

      it('takes lists of 70,000 values and alternatives by the thousand', async () => {
        const values = Array.from({ length: 70_000 }, (_, n) => value('integer', String(n * 2)))
        const even: Predicate = { op: 'in', column: 'id', type: 'integer', values }
        expect((await readColumn(source, part('numbers', ['id'], { where: even }))).length).toBe(5_000)
        const of = Array.from({ length: 3_000 }, (_, n) => compare('eq', 'id', 'integer', String(n)))
        expect((await readColumn(source, part('numbers', ['id'], { where: { op: 'or', of } }))).length).toBe(2_999)
      })

      it('a scope holds whatever the filter says', async () => {
        const where: Predicate = { op: 'or', of: [{ op: 'and', of: [] }, compare('eq', 'status', 'text', 'paid')] }
        expect(await readColumn(source, part('orders', ['id'], { scope: acme, where }))).toEqual([1, 2, 3, 4])
      })

      it('a related row satisfies the filter or not; a row without one does not, and its negation does', async () => {
        const ofAnn: Predicate = { op: 'related', join: customer, where: compare('eq', 'name', 'text', 'Ann') }
        expect(await readColumn(source, part('orders', ['id'], { where: ofAnn }))).toEqual([1, 2])
        expect(await readColumn(source, part('orders', ['id'], { where: { op: 'not', of: ofAnn } }))).toEqual([3, 4, 5])
        const withOrders: Predicate = { op: 'related', join: ordersOfCustomer, where: { op: 'and', of: [] } }
        // One order has no customer: a NULL among the related keys must not hide the customers without orders.
        expect(await readColumn(source, part('customers', ['id'], { where: { op: 'not', of: withOrders } }))).toEqual([3])
        const deep: Predicate = {
          op: 'related',
          join: ordersOfCustomer,
          where: { op: 'related', join: itemsOfOrder, where: compare('eq', 'sku', 'text', 'Z') },
        }
        expect(await readColumn(source, part('customers', ['id'], { where: deep }))).toEqual([4])
      })
    })

    describe('hostile names and values', () => {
      it('names with quotes, blanks and SQL in them are names', async () => {
        const select = ['id', 'a"b', 'select', "ü 'x'"]
        const where = compare('eq', 'a"b', 'text', 'one')
        expect(await readRows(source, part('ro"w ; --', select))).toEqual([[1, 'one', 'two', 'three']])
        expect(
          await readRows(source, part('ro"w ; --', select, { where, sort: [{ path: [], column: 'select', descending: true }] })),
        ).toEqual([[1, 'one', 'two', 'three']])
      })

      it('values arrive as they are', async () => {
        const texts = [
          'tab\tand\nnewline\r\n',
          '"quotes", commas',
          'back\\slash \\N \\.',
          '\u2028 😀 שלום',
          '\u0001\u007f',
          '{"b":"00"}',
          '[1]',
          ' ',
        ]
        for (const [index, text] of texts.entries()) {
          await made.write(`insert into notes values (${index + 100}, null, 'hostile', '${text}')`)
        }
        const where = compare('eq', 'author', 'text', 'hostile')
        expect(await readColumn(source, part('notes', ['body'], { where }))).toEqual(texts)
        for (const text of texts) {
          const found = await readColumn(source, part('notes', ['body'], { where: compare('eq', 'body', 'text', text) }))
          expect(found).toEqual([text])
        }
      })
    })
  })
}
