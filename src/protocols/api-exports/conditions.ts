/** Judges a condition about values at hand, with the meaning that the store's SQL gives it. */
import { jsonContains, parseJson } from '../../job/json-containment.ts'
import type { Condition, JobFieldValue } from '../../job/search.ts'

/** Null stands for SQL's unknown. */
export function judge<Field extends string>(
  condition: Condition<Field>,
  valueAt: (field: Field) => JobFieldValue | null,
): boolean | null {
  switch (condition.op) {
    case 'and':
    case 'or': {
      const decisive = condition.op === 'or'
      const judged = condition.of.map((each) => judge(each, valueAt))
      if (judged.includes(decisive)) return decisive
      return judged.includes(null) ? null : !decisive
    }
    case 'not': {
      const judged = judge(condition.of, valueAt)
      return judged === null ? null : !judged
    }
    case 'is_null':
      return valueAt(condition.field) === null
    default:
      return compare(condition, valueAt(condition.field))
  }
}

type Comparison<Field extends string> = Exclude<Condition<Field>, { op: 'and' | 'or' | 'not' | 'is_null' }>

function compare<Field extends string>(condition: Comparison<Field>, value: JobFieldValue | null): boolean | null {
  if (value === null) return null
  switch (condition.op) {
    case 'in':
      return condition.values.some((each) => order(value, each) === 0)
    case 'like':
      return isLike(String(value).toLowerCase(), condition.pattern.toLowerCase())
    case 'json_contains':
      return jsonContains(String(value), parseJson(condition.json))
    case 'eq':
      return order(value, condition.value) === 0
    case 'lt':
      return order(value, condition.value) < 0
    case 'lteq':
      return order(value, condition.value) <= 0
    case 'gt':
      return order(value, condition.value) > 0
    case 'gteq':
      return order(value, condition.value) >= 0
  }
}

function order(a: JobFieldValue, b: JobFieldValue): number {
  const [one, two] = [a, b].map((value) => (value instanceof Date ? value.getTime() : value))
  if (one === two || one === undefined || two === undefined) return 0
  return one < two ? -1 : 1
}

/** Steps back to the last `%` only, so that a long pattern costs its length times the text's and no more. */
function isLike(text: string, pattern: string): boolean {
  const tokens = tokensOf(pattern)
  let [at, token, mark, markAt] = [0, 0, -1, 0]
  while (at < text.length) {
    const wanted = tokens[token]
    if (wanted === ANY) {
      mark = token
      markAt = at
      token += 1
    } else if (wanted !== undefined && (wanted === ONE || wanted === text[at])) {
      at += 1
      token += 1
    } else if (mark >= 0) {
      markAt += 1
      at = markAt
      token = mark + 1
    } else {
      return false
    }
  }
  return tokens.slice(token).every((rest) => rest === ANY)
}

const ANY = Symbol('%')
const ONE = Symbol('_')

function tokensOf(pattern: string): (string | typeof ANY | typeof ONE)[] {
  return (pattern.match(/\\[\s\S]|[\s\S]/g) ?? []).map((token) => {
    if (token === '%') return ANY
    if (token === '_') return ONE
    return token.length === 2 && token.startsWith('\\') ? token.slice(1) : token
  })
}
