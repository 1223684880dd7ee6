/** Claims: what a token says of its holder, as plain JSON. */

export type Claims = Readonly<Record<string, unknown>>

/**
 * A claim by its name, or by a path of names with dots between (`organization.slug`); an exact name comes first, since names may be URLs.
 * Own members only: `__proto__` and `constructor` name nothing. Undefined where there is none.
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}

/** More than anyone is given by hand, and few enough to be compared on each row. */
const MOST_VALUES = 1_000

/**
 * The values that a claim stands for: itself, or the members of a list. Null where it is missing, empty, too long or holds anything but text,
 * whole numbers and yes or no: then it stands for nothing, never for everything.
 */
export function claimValues(claims: Claims, path: string): readonly (string | number | boolean)[] | null {
  const claim = claimAt(claims, path)
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  if (values.length === 0 || values.length > MOST_VALUES) return null
  return values.every(isPlainValue) ? values : null
}

function isPlainValue(value: unknown): value is string | number | boolean {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value))
}
