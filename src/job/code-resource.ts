/** A resource that is written in code: rows that only the application can produce. Its module is imported wherever rows are read. */
import { FreightError } from './errors.ts'
import { CELL_TYPES, type CellType } from './row-text.ts'
import { didYouMean } from './suggestion.ts'

export interface CodeField {
  readonly type: CellType
  /** A row in which it is null, undefined or missing is a wrong row; false when absent. */
  readonly required?: boolean
}

/** What `rows` is asked for. */
export interface CodeRequest {
  readonly resource: string
  /** Whose rows: the caller's tenant. Null on the command line, where the person owns the data. */
  readonly tenant: string | null
  /** Fields that are read; others need not be worked out. */
  readonly fields: readonly string[]
  /** The caller's filters, checked against the fields' types: only such as the resource lists in `filters`. */
  readonly filters: Readonly<Record<string, unknown>>
  /** Rows at most; no more are asked for. Null for all. */
  readonly limit: number | null
}

/** An object per row, its properties by field name, or several of them in an array. */
export type CodeRows = AsyncIterable<object | readonly object[]>

export interface CodeResource {
  readonly name: string
  /** By name, in the order of the file's columns. A type alone is a field that may be empty. */
  readonly fields: Readonly<Record<string, CellType | CodeField>>
  /** Names the row in the errors log. */
  readonly key?: readonly string[]
  /** Filters that `rows` carries out itself, as `status_eq`; every other one is refused. None when absent. */
  readonly filters?: readonly string[]
  /** The field that holds the tenant: rows of another one are passed over. When absent, `rows` gives the tenant's rows alone. */
  readonly tenant?: string
  readonly retentionDays?: number
  /** An export of more rows fails; it is never cut. */
  readonly maxRows?: number
  readonly dryDataOmits?: readonly string[]
  /**
   * Asked for one row after the other, no faster than they are written. `signal` aborts when the export is stopped; what is
   * thrown ends the run, which is tried again later.
   */
  rows(request: CodeRequest, signal: AbortSignal): CodeRows
  /** How many rows there will be, about, for progress; null when it cannot be told. */
  count?(request: CodeRequest, signal: AbortSignal): number | null | Promise<number | null>
}

/** Gives a resource in code its types. */
export function defineResource(resource: CodeResource): CodeResource {
  return resource
}

const KEYS = ['name', 'fields', 'key', 'filters', 'tenant', 'retentionDays', 'maxRows', 'dryDataOmits', 'rows', 'count']

/** `code` of a configuration, or of a module that lists resources; checked as far as can be without running it. Throws CONFIG_INVALID. */
export function checkCodeResources(given: unknown, place: string): readonly CodeResource[] {
  if (!Array.isArray(given)) throw invalid(place, 'must be a list of resources, each made by defineResource.')
  const names = new Set<string>()
  return given.map((resource: unknown, index) => {
    const checked = checkCodeResource(resource, `${place}.${index}`)
    if (names.has(checked.name)) throw invalid(`${place}.${index}.name`, `there is another resource "${checked.name}".`)
    names.add(checked.name)
    return checked
  })
}

function checkCodeResource(given: unknown, place: string): CodeResource {
  if (typeof given !== 'object' || given === null) throw invalid(place, 'must be a resource, made by defineResource.')
  for (const key of Object.keys(given))
    if (!KEYS.includes(key)) throw invalid(place, `there is no setting "${key}".${didYouMean(key, KEYS)}`)
  const resource = given as Partial<CodeResource>
  const { name, fields, rows, count } = resource
  if (typeof name !== 'string' || !/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name) || name in {})
    throw invalid(`${place}.name`, 'must be a name of letters, digits, "_" and "-", without dots or spaces.')
  if (typeof rows !== 'function')
    throw invalid(`${place}.rows`, 'must be a function that yields rows: async function* (spec, signal).')
  if (count !== undefined && typeof count !== 'function') throw invalid(`${place}.count`, 'must be a function.')
  if (typeof fields !== 'object' || fields === null || Object.keys(fields).length === 0)
    throw invalid(`${place}.fields`, 'must name at least one field with its type.')
  for (const [field, of] of Object.entries(fields)) checkField(of, `${place}.fields.${field}`)
  for (const [setting, named] of [
    ['key', resource.key],
    ['tenant', resource.tenant],
  ] as const) {
    for (const field of [named ?? []].flat())
      if (!Object.hasOwn(fields, field))
        throw invalid(`${place}.${setting}`, `there is no field "${field}".${didYouMean(String(field), Object.keys(fields))}`)
  }
  if (
    resource.filters !== undefined &&
    !(Array.isArray(resource.filters) && resource.filters.every((key) => typeof key === 'string'))
  )
    throw invalid(`${place}.filters`, "must be a list of filters that rows() carries out, as ['status_eq'].")
  // Every member has been checked against its type.
  return resource as CodeResource
}

function checkField(given: unknown, place: string): void {
  const { type, required = false } = typeof given === 'string' ? { type: given } : ((given ?? {}) as Partial<CodeField>)
  if (!CELL_TYPES.some((known) => known === type))
    throw invalid(place, `${JSON.stringify(type ?? null)} is not a type; known: ${CELL_TYPES.join(', ')}.`)
  if (typeof required !== 'boolean') throw invalid(`${place}.required`, 'must be true or false.')
}

/** A field's type and whether it must be there. */
export function codeField(field: CellType | CodeField): Required<CodeField> {
  return typeof field === 'string' ? { type: field, required: false } : { type: field.type, required: field.required ?? false }
}

function invalid(place: string, message: string): FreightError {
  return new FreightError('CONFIG_INVALID', `${place}: ${message}`)
}
