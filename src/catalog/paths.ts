/** Dotted names: `customer.email`, `line_items.sku.code`. */
import type { Join, Predicate } from '../job/spec.ts'
import type { Field, Relation, Resource } from './resources.ts'

/** Relations in a row, in fields, includes, filters and sort alike. */
export const MAX_STEPS = 3

export type Scope = (resource: Resource) => Predicate | null

/**
 * The relation that `path` begins with, and what follows its dot (null when nothing does). Names may hold dots themselves
 * (a table called `a.b`), so the longest that fits is taken.
 */
export function firstStep(resource: Resource, path: string): { relation: Relation; rest: string | null } | null {
  let found: Relation | null = null
  for (const relation of resource.relations.values()) {
    const fits = path === relation.name || path.startsWith(`${relation.name}.`)
    if (fits && relation.name.length > (found?.name.length ?? -1)) found = relation
  }
  if (!found) return null
  return { relation: found, rest: path === found.name ? null : path.slice(found.name.length + 1) }
}

export interface Found {
  readonly steps: readonly Relation[]
  readonly resource: Resource
  /** What is left behind the relations, when no field of `resource` is called that; a field's own name otherwise. */
  readonly rest: string
  readonly field: Field | null
}

/** Follows relations as far as they go. */
export function follow(resource: Resource, path: string): Found {
  const steps: Relation[] = []
  let at = resource
  let rest = path
  while (!at.fields.has(rest)) {
    const step = firstStep(at, rest)
    if (!step || step.rest === null || steps.length > MAX_STEPS) break
    steps.push(step.relation)
    at = step.relation.target
    rest = step.rest
  }
  return { steps, resource: at, rest, field: at.fields.get(rest) ?? null }
}

/** `['customer.', ...]`: names as the caller has to write them behind the relations already named. */
export function prefixed(steps: readonly Relation[], names: Iterable<string>): string[] {
  const prefix = steps.map((step) => `${step.name}.`).join('')
  return [...names].map((name) => prefix + name)
}

export function joinOf(relation: Relation, scope: Scope): Join {
  const { target } = relation
  return {
    table: target.table,
    kind: target.kind,
    localColumns: relation.localColumns,
    foreignColumns: relation.foreignColumns,
    indexed: relation.indexed,
    orderBy: relation.kind === 'many' ? target.primaryKey : [],
    scope: scope(target),
  }
}
