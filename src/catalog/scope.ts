/** Whose rows: the caller's tenant, and what their claims stand for, as a predicate on each resource that is reached. */
import { claimValues } from '../job/claims.ts'
import { FreightError } from '../job/errors.ts'
import type { BoundValue, Predicate, SpecAccess } from '../job/spec.ts'
import type { Caller } from './catalog.ts'
import type { Scope } from './paths.ts'
import type { Resource, RowRule } from './resources.ts'
import { boundValue } from './values.ts'

type RowGrant = SpecAccess['rows'][number]

/** The rules by which rows were narrowed, as they are met: kept with the export, and looked at again when its files are asked for. */
export class MetResources {
  readonly #rows = new Map<string, readonly RowGrant[]>()

  meet(resource: Resource, rows: readonly RowGrant[]): void {
    this.#rows.set(resource.name, rows)
  }

  get resources(): readonly string[] {
    return [...this.#rows.keys()].sort()
  }

  get rows(): readonly RowGrant[] {
    return [...this.#rows.values()].flat()
  }
}

/**
 * Null caller: the command line, where the person owns the database. Throws FORBIDDEN for a tenant that no row of the resource
 * can belong to (an empty name, or letters where the column holds numbers), and where a claim is missing or stands for no value. It never falls
 * back to all rows.
 */
export function scopeOf(caller: Caller | null, met: MetResources): Scope {
  return (resource): Predicate | null => {
    if (caller === null) {
      met.meet(resource, [])
      return null
    }
    const rules = resource.rows.map((rule) => rowRule(resource, rule, caller))
    met.meet(
      resource,
      rules.map(({ grant }) => grant),
    )
    const tenant = tenantRule(resource, caller.tenant)
    const of = [...(tenant ? [tenant] : []), ...rules.map(({ predicate }) => predicate)]
    return of.length <= 1 ? (of[0] ?? null) : { op: 'and', of }
  }
}

function tenantRule(resource: Resource, tenant: string): Predicate | null {
  if (resource.tenant === null) return null
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

function rowRule(resource: Resource, rule: RowRule, caller: Caller): { predicate: Predicate; grant: RowGrant } {
  const { column, type, claim } = rule
  const values = claimValues(caller.claims, claim)
  const bound = values?.map((value) => boundValue(type, type === 'text' || type === 'uuid' ? String(value) : value))
  if (!values || !bound?.every((value): value is BoundValue => !('problem' in value))) {
    throw new FreightError(
      'FORBIDDEN',
      `Rows of "${resource.name}" are given out by the claim "${claim}", of which this caller has no value that fits. Ask the operator for one.`,
    )
  }
  return { predicate: { op: 'in', column, type, values: bound }, grant: { resource: resource.name, column, claim, values } }
}

/**
 * Whether every row that went into an export may still be seen by this caller (null: whoever it was made for), as far as this resource's rules say
 * today. `stored`: what is kept with the export of this resource.
 */
export function coversRows(resource: Resource, stored: StoredRules, caller: Caller | null): boolean {
  const { tenant } = stored
  // Told apart by another column then: nobody knows whose rows are in it.
  if (resource.tenant !== null && tenant !== undefined && tenant !== resource.tenant.column) return false
  return resource.rows.every(({ column, claim }) => {
    const before = stored.rows.find((grant) => grant.claim === claim && grant.column === column)
    // Made before there was the rule: the same.
    return before !== undefined && (caller === null || holds(caller, before))
  })
}

/** `tenant`: its column, null for shared rows, undefined where that was not kept. */
interface StoredRules {
  readonly tenant: string | null | undefined
  readonly rows: readonly RowGrant[]
}

/** Whether the caller has each value that rows were narrowed to. */
export function holds(caller: Caller, { claim, values }: RowGrant): boolean {
  const held = new Set(claimValues(caller.claims, claim)?.map(String))
  return values.every((value) => held.has(String(value)))
}
