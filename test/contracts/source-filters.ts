/** The part of the sources' contract about filters: which rows each comparison keeps. */
import { describe, expect, it } from 'vitest'
import type { Predicate } from '../../src/job/spec.ts'
import type { Source } from '../../src/sources/source.ts'
import { compare, part, readColumn, value } from './sample-part.ts'
import { acme, customer, itemsOfOrder, ordersOfCustomer } from './source-sample.ts'

export function describeFilters(source: () => Source): void {
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
      expect(await readColumn(source(), part('things', ['id'], { where }))).toEqual(ids)
    })

    it('takes lists of 70,000 values and alternatives by the thousand', async () => {
      const values = Array.from({ length: 70_000 }, (_, n) => value('integer', String(n * 2)))
      const even: Predicate = { op: 'in', column: 'id', type: 'integer', values }
      expect((await readColumn(source(), part('numbers', ['id'], { where: even }))).length).toBe(5_000)
      const of = Array.from({ length: 3_000 }, (_, n) => compare('eq', 'id', 'integer', String(n)))
      expect((await readColumn(source(), part('numbers', ['id'], { where: { op: 'or', of } }))).length).toBe(2_999)
    })

    it('a scope holds whatever the filter says', async () => {
      const where: Predicate = { op: 'or', of: [{ op: 'and', of: [] }, compare('eq', 'status', 'text', 'paid')] }
      expect(await readColumn(source(), part('orders', ['id'], { scope: acme, where }))).toEqual([1, 2, 3, 4])
    })

    it('a related row satisfies the filter or not; a row without one does not, and its negation does', async () => {
      const ofAnn: Predicate = { op: 'related', join: customer, where: compare('eq', 'name', 'text', 'Ann') }
      expect(await readColumn(source(), part('orders', ['id'], { where: ofAnn }))).toEqual([1, 2])
      expect(await readColumn(source(), part('orders', ['id'], { where: { op: 'not', of: ofAnn } }))).toEqual([3, 4, 5])
      const withOrders: Predicate = { op: 'related', join: ordersOfCustomer, where: { op: 'and', of: [] } }
      // One order has no customer: a NULL among the related keys must not hide the customers without orders.
      expect(await readColumn(source(), part('customers', ['id'], { where: { op: 'not', of: withOrders } }))).toEqual([3])
      const deep: Predicate = {
        op: 'related',
        join: ordersOfCustomer,
        where: { op: 'related', join: itemsOfOrder, where: compare('eq', 'sku', 'text', 'Z') },
      }
      expect(await readColumn(source(), part('customers', ['id'], { where: deep }))).toEqual([4])
    })
  })
}
