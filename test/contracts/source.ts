/** What every source must keep. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Source } from '../../src/sources/source.ts'
import { compare, part, readColumn, readRows, rowsOf } from './sample-part.ts'
import { describeFilters } from './source-filters.ts'
import { describeRelations } from './source-relations.ts'
import { customer, region, SCHEMA } from './source-sample.ts'
import { describeSnapshots } from './source-snapshots.ts'
import type { SourceUnderTest } from './source-under-test.ts'

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

    describeSnapshots(() => made)
    describeRelations(() => source)
    describeFilters(() => source)

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

    describe('limits and order', () => {
      it('reads in the order of the key', async () => {
        const ids = await readColumn(source, part('numbers', ['id']))
        expect(ids).toEqual(Array.from({ length: 10_000 }, (_, n) => n + 1))
      })

      it.each([0, 1, 499, 500, 501, 4_500, 10_000, 20_000])('gives at most %i rows, and counts so many', async (limit) => {
        for (const where of [null, compare('gteq', 'n', 'integer', '0')]) {
          const snapshot = await source.open(
            { parts: [part('numbers', ['id', 'pad'], { limit, where })], layout: 'nested' },
            never(),
          )
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
          '#1, a # b',
          '-- ; $1 % ^ ~ | & @ ! ?',
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
