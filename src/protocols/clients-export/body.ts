/** Reads members of a request's body one by one; what does not fit is refused with its place. */
import { FreightError } from '../../job/errors.ts'
import { didYouMean } from '../../job/suggestion.ts'
import type { Clients } from './clients.ts'
import type { ColumnMapping } from './column-mapping.ts'
import { TARGET_FIELDS, type TargetField } from './target-fields.ts'

const READ_ONLY = `code status totalItems processedItems downloadUrl startedDate completedDate createdDate updatedDate
  isPreset`.split(/\s+/)
const MAX_COLUMNS = 500
const MAX_HEADER_LENGTH = 200

export type Members = ReadonlyMap<string, unknown>

/** Those that are not null. */
export function readMembers(value: unknown, at: string, known: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusal(at, at === '' ? 'The body must be a JSON object.' : `${spoken(at)} must be an object.`)
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const shown = `${at}/${name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (READ_ONLY.includes(name)) throw refusal(shown, `${spoken(shown)} is set by the server and cannot be sent.`)
    throw refusal(shown, `${spoken(shown)} is not known here.${didYouMean(name, known)}`, known)
  }
  return new Map(Object.entries(value).filter(([, member]) => member !== null))
}

/** `/filter/statuses/0` is `filter.statuses[0]`. */
export function spoken(pointer: string): string {
  return pointer
    .slice(1)
    .replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
}

export function refusal(pointer: string, message: string, allowed?: readonly string[]): FreightError {
  return new FreightError('VALIDATION_FAILED', message, { details: { pointer, ...(allowed ? { allowed } : {}) } })
}

export function readText(value: unknown, at: string, most: number): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= most) return value
  throw refusal(at, `${spoken(at)} must be text of 1 to ${most} characters.`)
}

export function readChoice<Choice extends string>(value: unknown, at: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((known) => known === value)
  if (choice !== undefined) return choice
  throw refusal(at, `${spoken(at)} must be one of ${choices.join(', ')}.`, choices)
}

/** `columnMappings`, in a request for an export and in a mapping that is saved. */
export function readColumnMappings(value: unknown, clients: Clients): ColumnMapping[] {
  if (!Array.isArray(value)) throw refusal('/columnMappings', 'columnMappings must be a list.')
  if (value.length === 0 || value.length > MAX_COLUMNS) {
    throw refusal('/columnMappings', `columnMappings must have 1 to ${MAX_COLUMNS} columns, not ${value.length}.`)
  }
  const headers = new Set<string>()
  return Array.from(value, (column: unknown, index) => {
    const at = `/columnMappings/${index}`
    const members = readMembers(column, at, ['csvHeader', 'targetField'])
    const csvHeader = readText(members.get('csvHeader'), `${at}/csvHeader`, MAX_HEADER_LENGTH)
    if (headers.has(csvHeader))
      throw refusal(`${at}/csvHeader`, `${spoken(`${at}/csvHeader`)} is the name of another column, too.`)
    headers.add(csvHeader)
    return { csvHeader, targetField: readTarget(members.get('targetField'), `${at}/targetField`, clients) }
  })
}

function readTarget(value: unknown, at: string, { fields }: Clients): TargetField {
  const target = TARGET_FIELDS.find((known) => known === value)
  if (target !== undefined && fields.has(target)) return target
  const offered = [...fields.keys()]
  if (target !== undefined) throw refusal(at, `${spoken(at)}: ${target} is not offered here.`, offered)
  const hint = typeof value === 'string' ? didYouMean(value, offered) : ''
  throw refusal(at, `${spoken(at)} must be a field that is known here.${hint}`, offered)
}
