/** The query parameters of this protocol: include, sparse fields, pages, sort and filters. Anything else is refused. */
import { badParameter, shortened } from './errors.ts'
import { type Attributes, type ListFilter, readListFilter } from './list-filters.ts'

export const RELATIONSHIPS = ['events', 'versions', 'event_stores'] as const
export type Relationship = (typeof RELATIONSHIPS)[number]
type WireType = 'exports' | Relationship

/** By type: the members asked for; a type that is missing is shown whole. */
export type SparseFields = Readonly<Partial<Record<WireType, ReadonlySet<string>>>>

export interface DocumentQuery {
  readonly include: readonly Relationship[]
  readonly fields: SparseFields
}

export interface ListQuery extends DocumentQuery {
  readonly page: { readonly number: number; readonly size: number }
  readonly sort: readonly { readonly attribute: string; readonly descending: boolean }[]
  readonly filters: readonly ListFilter[]
}

/** What one address takes. */
export interface QueryRules {
  /** Whether related entries can be included. */
  readonly include: 'relationships' | 'nothing'
  /** By type: the names that `fields[type]` may hold. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** Null where there is no list. */
  readonly list: { readonly filters: Attributes; readonly sorts: ReadonlySet<string> } | null
}

const PAGE_SIZE = 10
/** The vendor's own. */
const MAX_PAGE_SIZE = 25
const MAX_FILTERS = 50
const MAX_SORTS = 10

/** `raw`: names and values already decoded; a name that came twice has a list. */
export function readQuery(raw: Readonly<Record<string, unknown>>, rules: QueryRules): ListQuery {
  const page = { number: 1, size: PAGE_SIZE }
  const fields: Partial<Record<string, ReadonlySet<string>>> = {}
  const filters: ListFilter[] = []
  let include: readonly Relationship[] = []
  let sort: ListQuery['sort'] = []
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value !== 'string') throw badParameter('PARAM_NOT_ALLOWED', name, `${shortened(name)} is given more than once.`)
    const [, family = name, member] = /^([a-z]+)\[([\s\S]*)\]$/.exec(name) ?? []
    if (family === 'include' && member === undefined) include = readInclude(value, rules)
    else if (family === 'fields' && member !== undefined) fields[member] = readFields(name, member, value, rules)
    else if (rules.list && family === 'sort' && member === undefined) sort = readSort(value, rules.list.sorts)
    else if (rules.list && family === 'page' && (member === 'number' || member === 'size')) {
      page[member] = readPage(name, value, member === 'size' ? MAX_PAGE_SIZE : Number.MAX_SAFE_INTEGER / MAX_PAGE_SIZE)
    } else if (rules.list && family === 'filter' && member?.startsWith('q][')) {
      if (filters.length === MAX_FILTERS)
        throw badParameter('FILTER_NOT_ALLOWED', name, `At most ${MAX_FILTERS} filters are taken.`)
      filters.push(readListFilter(rules.list.filters, name, member.slice('q]['.length), value))
    } else {
      const code = family === 'filter' ? 'FILTER_NOT_ALLOWED' : 'PARAM_NOT_ALLOWED'
      throw badParameter(code, name, `${shortened(name)} is not allowed.`)
    }
  }
  return { include, fields, page, sort, filters }
}

function readInclude(value: string, rules: QueryRules): readonly Relationship[] {
  const names = new Set(value.split(','))
  return [...names].map((name) => {
    const known = RELATIONSHIPS.find((relationship) => relationship === name)
    if (known && rules.include === 'relationships') return known
    const allowed = rules.include === 'relationships' ? `one of ${RELATIONSHIPS.join(', ')} can be.` : 'nothing can be here.'
    throw badParameter('INVALID_INCLUDE', 'include', `${shortened(name)} cannot be included; ${allowed}`)
  })
}

function readFields(parameter: string, type: string, value: string, rules: QueryRules): ReadonlySet<string> {
  const allowed = rules.fields.get(type)
  if (!allowed) {
    throw badParameter(
      'INVALID_FIELD',
      parameter,
      `${shortened(type)} is no type of this answer; ${[...rules.fields.keys()].join(', ')} are.`,
    )
  }
  const names = value === '' ? [] : value.split(',')
  const unknown = names.find((name) => !allowed.includes(name))
  if (unknown === undefined) return new Set(names)
  throw badParameter('INVALID_FIELD', parameter, `${shortened(unknown)} is no field of ${type}; ${allowed.join(', ')} are.`)
}

function readSort(value: string, sorts: ReadonlySet<string>): ListQuery['sort'] {
  const keys = value.split(',')
  if (keys.length > MAX_SORTS) throw badParameter('INVALID_SORT_CRITERIA', 'sort', `At most ${MAX_SORTS} sort keys are taken.`)
  return keys.map((key) => {
    const descending = key.startsWith('-')
    const attribute = descending ? key.slice(1) : key
    if (sorts.has(attribute)) return { attribute, descending }
    throw badParameter('INVALID_SORT_CRITERIA', 'sort', `${shortened(key)} is no sort key; ${[...sorts].join(', ')} are.`)
  })
}

function readPage(parameter: string, value: string, most: number): number {
  const number = /^[1-9]\d{0,14}$/.test(value) ? Number(value) : 0
  if (number >= 1 && number <= most) return number
  const range = most === MAX_PAGE_SIZE ? `from 1 to ${MAX_PAGE_SIZE}` : 'from 1'
  throw badParameter('INVALID_PAGE_VALUE', parameter, `${parameter} is a whole number ${range}.`)
}
