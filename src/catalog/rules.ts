/**
 * The rules that decide what callers get of a resource, as far as they stand in the configuration: kept with an export, so that a later run or
 * download can tell whether they are still the same.
 */
import { createHash } from 'node:crypto'
import type { ResourceRules } from '../job/spec.ts'
import type { Resource } from './resources.ts'
import type { SessionVariables } from './session-variables.ts'

export function rulesOf(resource: Resource, variables: SessionVariables): ResourceRules {
  return {
    resource: resource.name,
    tenant: resource.tenant?.column ?? null,
    own: resource.needsOwn,
    digest: createHash('sha256').update(canonical(resource, variables)).digest('base64url').slice(0, 22),
  }
}

/** What the database says (types, new columns, keys) is left out: a changed table is no changed rule. */
function canonical({ source, table, tenant, rows, needsOwn, hidden, fields }: Resource, variables: SessionVariables): string {
  const policies = [...fields.values()]
    .filter(({ needs, mask }) => needs !== null || mask !== null)
    .map(({ column, needs, mask, unmaskedWith }) => [column, needs, mask, unmaskedWith])
  return JSON.stringify([
    source,
    table.schema,
    table.name,
    tenant?.column ?? null,
    inOrder(rows.map(({ column, claim }) => [column, claim])),
    needsOwn,
    [...hidden].sort(),
    inOrder(policies),
    inOrder(Object.entries(variables)),
  ])
}

/** In whichever order the configuration lists them, rules are the same. */
function inOrder(entries: readonly (readonly unknown[])[]): readonly string[] {
  return entries.map((entry) => JSON.stringify(entry)).sort()
}
