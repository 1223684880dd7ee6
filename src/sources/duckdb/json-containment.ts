/** Whether a document contains another, by PostgreSQL's rules for `@>` (its documentation, "jsonb Containment and Existence"), as SQL. */
import type { Binder } from '../compile.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** `document` is SQL of type JSON. */
export function containsJson(document: string, json: string, binder: Binder): string {
  const part = JSON.parse(json) as Json
  const holds = contains(document, part, json, binder)
  // "An array may contain a primitive value": only at the top.
  return isStructure(part)
    ? holds
    : `(${holds} or ${someElement(document, (element) => contains(element, part, json, binder), binder)})`
}

function contains(document: string, part: Json, text: string, binder: Binder): string {
  if (Array.isArray(part)) {
    const held = (part as readonly Json[]).map((wanted) =>
      someElement(document, (element) => contains(element, wanted, JSON.stringify(wanted), binder), binder),
    )
    return all([`json_type(${document}) = 'ARRAY'`, ...held])
  }
  if (isStructure(part)) {
    const held = Object.entries(part as Record<string, Json>).map(([key, wanted]) => {
      const pointer = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
      return contains(
        `json_extract(${document}, cast(${binder.bind(pointer)} as varchar))`,
        wanted,
        JSON.stringify(wanted),
        binder,
      )
    })
    return all([`json_type(${document}) = 'OBJECT'`, ...held])
  }
  if (typeof part === 'string') {
    return all([`json_type(${document}) = 'VARCHAR'`, `json_extract_string(${document}, '$') = ${binder.bind(part)}`])
  }
  if (typeof part === 'number') {
    const number = `cast(${binder.bind(text)} as double)`
    return all([
      `json_type(${document}) in ('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')`,
      `try_cast(cast(${document} as varchar) as double) = ${number}`,
    ])
  }
  return part === null
    ? `coalesce(json_type(${document}) = 'NULL', false)`
    : `coalesce(cast(${document} as varchar) = '${part}', false)`
}

/** Each alias is new: conditions nest. */
function someElement(document: string, holds: (element: string) => string, binder: Binder): string {
  const name = binder.alias()
  const elements = `case when json_type(${document}) = 'ARRAY' then from_json(${document}, '["JSON"]') else [] end`
  return `coalesce(len(list_filter(${elements}, lambda ${name}: ${holds(name)})) > 0, false)`
}

/** Unknown is false: what is not there contains nothing. */
function all(conditions: readonly string[]): string {
  return `coalesce(${conditions.join(' and ')}, false)`
}

function isStructure(value: Json): boolean {
  return typeof value === 'object' && value !== null
}
