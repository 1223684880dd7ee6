import { describe, expect, test } from 'vitest'
import { checkedPart, refusalOf } from '../../test/shop-catalog.ts'
import { CELL_TYPES } from '../job/row-text.ts'
import type { Predicate } from '../job/spec.ts'
import { PREDICATES, predicatesFor, whenNull } from './predicates.ts'

/** A predicate in the notation of `docs/catalog.md`; `c` is the column. */
function sql(predicate: Predicate): string {
  switch (predicate.op) {
    case 'and':
    case 'or': {
      const parts = predicate.of.map(sql)
      return parts.length === 0 ? String(predicate.op === 'and') : `(${parts.join(` ${predicate.op} `)})`
    }
    case 'not':
      return `not ${sql(predicate.of)}`
    case 'is_null':
      return 'c is null'
    case 'in':
      return `c in (${predicate.values.map(({ text }) => text).join(', ')})`
    case 'like':
      return `c like '${predicate.pattern}'`
    case 'json_contains':
      return `c @> '${predicate.json}'`
    case 'related':
      return `exists ${sql(predicate.where)}`
    default:
      return `c ${{ eq: '=', lt: '<', lteq: '<=', gt: '>', gteq: '>=' }[predicate.op]} ${predicate.value.text}`
  }
}

function asked(key: string, value: unknown): Predicate {
  const { where } = checkedPart({ resource: 'customers', filters: { [key]: value } }, null)
  if (!where) throw new Error('a filter makes a predicate')
  return where
}

/** Every predicate: its key, a value, what it comes to, and whether a NULL row is in the result. */
const TABLE: readonly (readonly [string, unknown, string, boolean])[] = [
  ['name_eq', 'x', 'c = x', false],
  ['name_eq_or_null', 'x', '(c = x or c is null)', true],
  ['name_not_eq', 'x', 'not c = x', false],
  ['name_not_eq_or_null', 'x', '(not c = x or c is null)', true],
  ['name_not_eq_all', ['x', 'y'], 'not c in (x, y)', false],
  ['name_in', ['x', 'y'], 'c in (x, y)', false],
  ['name_in_or_null', ['x', 'y'], '(c in (x, y) or c is null)', true],
  ['name_not_in', ['x', 'y'], 'not c in (x, y)', false],
  ['name_not_in_or_null', ['x', 'y'], '(not c in (x, y) or c is null)', true],
  ['score_lt', 1, 'c < 1', false],
  ['score_lt_any', [1, 2], '(c < 1 or c < 2)', false],
  ['score_lt_all', [1, 2], '(c < 1 and c < 2)', false],
  ['score_lteq', 1, 'c <= 1', false],
  ['score_lteq_any', [1, 2], '(c <= 1 or c <= 2)', false],
  ['score_lteq_all', [1, 2], '(c <= 1 and c <= 2)', false],
  ['score_gt', 1, 'c > 1', false],
  ['score_gt_any', [1, 2], '(c > 1 or c > 2)', false],
  ['score_gt_all', [1, 2], '(c > 1 and c > 2)', false],
  ['score_gteq', 1, 'c >= 1', false],
  ['score_gteq_any', [1, 2], '(c >= 1 or c >= 2)', false],
  ['score_gteq_all', [1, 2], '(c >= 1 and c >= 2)', false],
  ['name_matches', 'a%', "c like 'a%'", false],
  ['name_matches_any', ['a%', 'b_'], "(c like 'a%' or c like 'b_')", false],
  ['name_matches_all', ['a%', 'b_'], "(c like 'a%' and c like 'b_')", false],
  ['name_does_not_match', 'a%', "not c like 'a%'", false],
  ['name_does_not_match_any', ['a%', 'b_'], "(not c like 'a%' or not c like 'b_')", false],
  ['name_does_not_match_all', ['a%', 'b_'], "(not c like 'a%' and not c like 'b_')", false],
  ['name_start', '5%', "c like '5\\%%'", false],
  ['name_start_any', ['a', 'b'], "(c like 'a%' or c like 'b%')", false],
  ['name_start_all', ['a', 'b'], "(c like 'a%' and c like 'b%')", false],
  ['name_not_start', 'a', "not c like 'a%'", false],
  ['name_not_start_any', ['a', 'b'], "(not c like 'a%' or not c like 'b%')", false],
  ['name_not_start_all', ['a', 'b'], "(not c like 'a%' and not c like 'b%')", false],
  ['name_end', '_\\', "c like '%\\_\\\\'", false],
  ['name_end_any', ['a', 'b'], "(c like '%a' or c like '%b')", false],
  ['name_end_all', ['a', 'b'], "(c like '%a' and c like '%b')", false],
  ['name_not_end', 'a', "not c like '%a'", false],
  ['name_not_end_any', ['a', 'b'], "(not c like '%a' or not c like '%b')", false],
  ['name_not_end_all', ['a', 'b'], "(not c like '%a' and not c like '%b')", false],
  ['name_cont', '%', "c like '%\\%%'", false],
  ['name_cont_any', ['a', 'b'], "(c like '%a%' or c like '%b%')", false],
  ['name_cont_all', ['a', 'b'], "(c like '%a%' and c like '%b%')", false],
  ['name_not_cont', 'a', "not c like '%a%'", false],
  ['name_not_cont_all', ['a', 'b'], "(not c like '%a%' and not c like '%b%')", false],
  ['metadata_jcont', { a: [1, 'x'] }, 'c @> \'{"a":[1,"x"]}\'', false],
  ['metadata_jcont_any', [['a'], 'b'], '(c @> \'["a"]\' or c @> \'"b"\')', false],
  ['metadata_jcont_any', [], 'false', false],
  ['name_present', true, '(not c is null and not c = )', false],
  ['name_present', false, '(c is null or c = )', true],
  ['name_blank', true, '(c is null or c = )', true],
  ['name_blank', false, '(not c is null and not c = )', false],
  ['score_present', true, 'not c is null', false],
  ['score_blank', true, 'c is null', true],
  ['name_null', true, 'c is null', true],
  ['name_null', false, 'not c is null', false],
  ['name_not_null', true, 'not c is null', false],
  ['name_not_null', false, 'c is null', true],
  ['is_vip_true', true, 'c = true', false],
  ['is_vip_true', false, 'not c = true', false],
  ['is_vip_false', true, 'c = false', false],
  ['is_vip_false', false, 'not c = false', false],
  ['name_in', [], 'false', false],
  ['name_in_or_null', [], '(false or c is null)', true],
  ['name_not_in', [], 'true', true],
  ['name_not_in_or_null', [], '(true or c is null)', true],
  ['name_not_eq_all', [], 'true', true],
  ['name_cont_any', [], 'false', false],
  ['name_cont_all', [], 'true', true],
]

test.each(TABLE)('%s with %j is %s; a NULL row is in the result: %s', (key, value, expected, keepsNull) => {
  const predicate = asked(key, value)
  expect(sql(predicate)).toBe(expected)
  expect(whenNull(predicate) === true).toBe(keepsNull)
})

test('the table above has every predicate there is', () => {
  const longestFirst = [...PREDICATES.keys()].sort((a, b) => b.length - a.length)
  const covered = TABLE.map(([key]) =>
    longestFirst.find((name) => /^(name|score|metadata|is_vip)_$/.test(key.slice(0, -name.length)) && key.endsWith(name)),
  )
  expect(new Set(covered)).toEqual(new Set(PREDICATES.keys()))
  expect(PREDICATES.size).toBe(52)
})

describe('predicates by type', () => {
  test('every type can be asked whether it is there', () => {
    for (const type of CELL_TYPES)
      expect(predicatesFor(type)).toEqual(expect.arrayContaining(['present', 'blank', 'null', 'not_null']))
  })

  test.each([
    ['id_cont', '1', 'integer'],
    ['is_vip_gt', true, 'boolean'],
    ['metadata_eq', '{}', 'json'],
    ['name_jcont', {}, 'text'],
    ['name_true', true, 'text'],
    ['avatar_eq', 'x', 'bytes'],
    ['birthday_start', '2024', 'date'],
    ['uid_matches', '%', 'uuid'],
  ])('%s makes no sense and is refused with those that do', (key, value, type) => {
    const error = refusalOf(() => asked(key, value))
    expect(error.place).toBe(`FILTER_UNKNOWN /filters/${key}`)
    expect(error.message).toContain(`holds ${type}`)
    expect(error.details.allowed).not.toContain(key)
    expect(error.details.allowed).toContain(key.replace(/_[a-z]+$/, '_null'))
  })
})
