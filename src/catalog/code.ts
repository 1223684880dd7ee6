/**
 * Resources in code: they find their rows themselves, so they can be asked for nothing that they do not say they can do. What they
 * cannot do is refused, never ignored.
 */
import { FreightError } from '../job/errors.ts'
import type { CheckedPart, OnRowError, PartRequest } from '../job/spec.ts'
import { readKey } from './filter-keys.ts'
import { filterPredicate } from './filters.ts'
import { member, quoted, refusal } from './refusal.ts'
import { configInvalid, type Resource } from './resources.ts'

const ON_ROW_ERROR: readonly OnRowError[] = ['fail', 'skip']

/** What `rows` is told beside the fields. Throws FILTER_UNKNOWN, FILTER_VALUE_INVALID and SORT_UNKNOWN. */
export function codeRequest(
  resource: Resource,
  part: PartRequest,
  at: string,
  tenant: string | null,
): NonNullable<CheckedPart['code']> {
  const can = resource.code?.filters ?? []
  for (const key of Object.keys(part.filters)) {
    if (can.includes(key)) continue
    const what = can.length === 0 ? 'takes no filters' : `takes only the filters ${can.map(quoted).join(', ')}`
    const why = `"${resource.name}" is made by code that ${what}; ${quoted(key)} is not among them.`
    throw refusal('FILTER_UNKNOWN', member(`${at}/filters`, key), why, { asked: key, allowed: can })
  }
  if (part.sort.length > 0) {
    const why = `"${resource.name}" is made by code, in the order of that code; it cannot be sorted.`
    throw refusal('SORT_UNKNOWN', `${at}/sort`, why, { asked: '', allowed: [] })
  }
  // For its checks of the values alone: the code carries the filters out.
  filterPredicate(resource, part.filters, `${at}/filters`, () => null)
  return { tenant, filters: part.filters }
}

/** Throws CONFIG_INVALID for what no resource in code can have. */
export function assertCodeFilters(resource: Resource): void {
  const place = `resources.${resource.name}`
  if (!resource.code) {
    for (const { name, target } of resource.relations.values())
      if (target.code)
        throw configInvalid(`${place}.relations.${name}`, `"${target.name}" is made by code, which cannot be joined.`)
    return
  }
  if (resource.relations.size > 0) throw configInvalid(`${place}.relations`, 'a resource made by code cannot have relations.')
  for (const key of resource.code.filters) {
    try {
      readKey(resource, key, '')
    } catch (error) {
      if (error instanceof FreightError) throw configInvalid(`${place}.filters`, error.message)
      throw error
    }
  }
}

export function checkOnRowError(asked: unknown): OnRowError {
  if (asked === undefined || asked === null) return 'fail'
  const found = ON_ROW_ERROR.find((name) => name === asked)
  if (found) return found
  throw refusal('OPTION_INVALID', '/on_row_error', 'on_row_error must be "fail" or "skip".', {
    asked: String(asked),
    allowed: ON_ROW_ERROR,
  })
}
