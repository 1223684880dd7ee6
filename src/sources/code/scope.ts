/** Whether a row is the caller's: the scope that a database would carry out, on the row's own values. */
import type { BoundValue, Predicate } from '../../job/spec.ts'

/** Throws for what the catalog makes no scopes of. */
export function assertScope(scope: Predicate | null): void {
  if (scope?.op === 'and') for (const each of scope.of) assertScope(each)
  else if (scope !== null && scope.op !== 'eq' && scope.op !== 'in')
    throw new Error(`a resource in code cannot be scoped by "${scope.op}"`)
}

/** Null: every row. What `assertScope` refuses fits no row. */
export function fits(scope: Predicate | null, read: (column: string) => unknown): boolean {
  if (scope === null) return true
  switch (scope.op) {
    case 'and':
      return scope.of.every((each) => fits(each, read))
    case 'eq':
      return isEqual(read(scope.column), scope.value)
    case 'in': {
      const value = read(scope.column)
      return scope.values.some((each) => isEqual(value, each))
    }
    default:
      return false
  }
}

/** As SQL compares: nothing equals NULL. UUIDs are the same in any case. */
function isEqual(value: unknown, { type, text }: BoundValue): boolean {
  if (value === null || value === undefined) return false
  return type === 'uuid' ? String(value).toLowerCase() === text.toLowerCase() : String(value) === text
}
