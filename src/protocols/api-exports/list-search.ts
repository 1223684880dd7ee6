/** What a list of exports asks, in the store's words; and the same questions asked of entries at hand. */

import type { SearchRequest } from '../../exports/search.ts'
import { JOB_STATUSES } from '../../job/job.ts'
import type { Condition, JobCondition, JobField } from '../../job/search.ts'
import { judge } from './conditions.ts'
import type { Entry } from './entries.ts'
import type { Attributes, Kind, ListFilter } from './list-filters.ts'
import type { ListQuery } from './query.ts'
import type { ApiExportsSettings } from './settings.ts'
import { wireFormat, wireStatus } from './view.ts'

/** What clients filter and sort by, and the field of the job that it is. An attachment's address is new each time; it is there since the completion. */
const FIELDS: Readonly<Record<string, JobField>> = {
  id: 'shortId',
  resource_type: 'resource',
  format: 'format',
  status: 'status',
  started_at: 'startedAt',
  completed_at: 'completedAt',
  interrupted_at: 'interruptedAt',
  records_count: 'total',
  processed_count: 'processed',
  attachment_url: 'completedAt',
  reference: 'reference',
  reference_origin: 'referenceOrigin',
  metadata: 'metadata',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
}

export const EXPORT_SORTS: ReadonlySet<string> = new Set(Object.keys(FIELDS).filter((name) => name !== 'metadata'))

export const EXPORT_FILTERS: Attributes = new Map(
  Object.entries(FIELDS).flatMap(([name, field]): [string, Kind][] => (name === 'attachment_url' ? [] : [[name, kindOf(field)]])),
)

function kindOf(field: JobField): Kind {
  if (field.endsWith('At')) return 'time'
  if (field === 'metadata') return 'document'
  return field === 'total' || field === 'processed' ? 'number' : 'text'
}

export function searchOf({ filters, sort, page }: ListQuery, settings: ApiExportsSettings): SearchRequest {
  return {
    resources: [...new Set(Object.values(settings.resources))],
    where: { op: 'and', of: filters.map((filter) => filterCondition(filter, settings)) },
    order: sort.flatMap(({ attribute, descending }) => {
      const field = FIELDS[attribute]
      return field ? [{ field, descending }] : []
    }),
    offset: (page.number - 1) * page.size,
    limit: page.size,
  }
}

function filterCondition(filter: ListFilter, settings: ApiExportsSettings): JobCondition {
  return { op: 'or', of: filter.map(({ attribute, condition }) => attributeCondition(attribute, condition, settings)) }
}

/** Where the wire has words of its own, the condition is judged about each word, and the store is asked for what stands behind those that fit. */
function attributeCondition(attribute: string, condition: Condition<string>, settings: ApiExportsSettings): JobCondition {
  const fits = (word: string | null): boolean => judge(condition, () => word) === true
  if (attribute === 'status') {
    return { op: 'in', field: 'status', values: JOB_STATUSES.filter((status) => fits(wireStatus(status))) }
  }
  if (attribute === 'resource_type') {
    const behind = Object.entries(settings.resources).flatMap(([type, resource]) => (fits(type) ? [resource] : []))
    return { op: 'in', field: 'resource', values: behind }
  }
  if (attribute === 'format') {
    const known = ['json', 'csv'].filter((format) => wireFormat(format) !== null)
    const fitting: JobCondition = { op: 'in', field: 'format', values: known.filter(fits) }
    return fits(null) ? { op: 'or', of: [fitting, { op: 'not', of: { op: 'in', field: 'format', values: known } }] } : fitting
  }
  return renamed(condition)
}

function renamed(condition: Condition<string>): JobCondition {
  switch (condition.op) {
    case 'and':
    case 'or':
      return { op: condition.op, of: condition.of.map(renamed) }
    case 'not':
      return { op: 'not', of: renamed(condition.of) }
    default:
      return { ...condition, field: FIELDS[condition.field] ?? 'shortId' }
  }
}

export const ENTRY_SORTS: ReadonlySet<string> = new Set(['id', 'created_at', 'updated_at'])

export function entryFilters(names: readonly string[]): Attributes {
  const filtered = ['name', 'event', 'resource_type', 'resource_id', 'reference', 'reference_origin'].filter((name) =>
    names.includes(name),
  )
  return new Map<string, Kind>([
    ['id', 'text'],
    ...filtered.map((name): [string, Kind] => [name, 'text']),
    ['metadata', 'document'],
    ['created_at', 'time'],
    ['updated_at', 'time'],
  ])
}

/** One page of those that fit, and how many fit in all. */
export function pageOfEntries(entries: readonly Entry[], { filters, sort, page }: ListQuery): { page: Entry[]; total: number } {
  const found = entries.filter((entry) =>
    filters.every((filter) => filter.some(({ condition }) => judge(condition, (name) => entryValue(entry, name)) === true)),
  )
  const sorted = found.toSorted((a, b) => {
    for (const { attribute, descending } of sort) {
      const [one, two] = [String(entryText(a, attribute)), String(entryText(b, attribute))]
      if (one !== two) return one < two === descending ? 1 : -1
    }
    return 0
  })
  const start = (page.number - 1) * page.size
  return { page: sorted.slice(start, start + page.size), total: found.length }
}

function entryText({ id, attributes }: Entry, name: string): unknown {
  return name === 'id' ? id : attributes[name]
}

function entryValue(entry: Entry, name: string): string | Date | null {
  const value = entryText(entry, name)
  if (name === 'metadata') return JSON.stringify(value)
  if (typeof value !== 'string') return null
  return name.endsWith('_at') ? new Date(value) : value
}
