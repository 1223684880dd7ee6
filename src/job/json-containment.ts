/** Whether one JSON document contains another, by PostgreSQL's rules for `@>` (its documentation, "jsonb Containment and Existence"). */

type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json }

/** Null when `whole` is not JSON. */
export function jsonContains(whole: string, part: Json): boolean | null {
  let document: Json
  try {
    document = parseJson(whole)
  } catch {
    return null
  }
  // "An array may contain a primitive value": only at the top.
  if (Array.isArray(document) && !isStructure(part)) return document.some((each) => each === part)
  return contains(document, part)
}

/** As JSON.parse, but whole numbers beyond 2^53 stay exact. */
export function parseJson(text: string): Json {
  // The usual case: a reviver makes parsing several times as slow, and 2^53 has 16 digits.
  if (!/\d{16}/.test(text)) return JSON.parse(text) as Json
  return JSON.parse(text, (_key: string, value: Json, context?: { source?: string }): Json => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || !context?.source) return value
    return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
  }) as Json
}

function contains(whole: Json, part: Json): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((wanted) => whole.some((each) => contains(each, wanted)))
  }
  if (!isStructure(part)) return whole === part
  if (!isStructure(whole) || Array.isArray(whole)) return false
  return Object.entries(part).every(([key, wanted]) => {
    const found: Json | undefined = Object.hasOwn(whole, key) ? (whole as Record<string, Json>)[key] : undefined
    return found !== undefined && contains(found, wanted)
  })
}

function isStructure(value: Json): value is readonly Json[] | { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null
}
