/** Whose rows: the caller's tenant as a predicate on each resource that is reached. */
import { FreightError } from '../job/errors.ts'
import type { Predicate } from '../job/spec.ts'
import type { Scope } from './paths.ts'
import { boundValue } from './values.ts'

/**
 * Null tenant: the command line, where the person owns the database. Throws FORBIDDEN for a tenant that no row of the resource
 * can belong to: an empty name, or letters where the column holds numbers. It never falls back to all rows.
 */
export function scopeOf(tenant: string | null): Scope {
  return (resource): Predicate | null => {
    if (tenant === null || resource.tenant === null) return null
    const { column, type } = resource.tenant
    const value = tenant === '' ? { problem: 'a name' } : boundValue(type, tenant)
    if ('problem' in value) {
      throw new FreightError(
        'FORBIDDEN',
        `No row of "${resource.name}" can belong to this key's tenant; ask the operator for another key.`,
      )
    }
    return { op: 'eq', column, type, value }
  }
}
