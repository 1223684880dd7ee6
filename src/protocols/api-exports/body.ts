/** The JSON:API document of a request, taken apart: every member known, every value of its type. */
import { checkMetadata } from '../../exports/metadata.ts'
import { attributePointer, badBody, escaped, invalidAttribute, notAllowed, shortened } from './errors.ts'

export type Members = Readonly<Record<string, unknown>>

/** `id` is undefined where the document has none. */
export interface RequestDocument {
  readonly id: unknown
  readonly attributes: Members
}

/** Throws 400 for a document that is no resource object of an export, or has a member that is not known. */
export function readDocument(body: unknown, allowed: readonly string[]): RequestDocument {
  if (!isObject(body) || !isObject(body.data)) throw badBody('PARAM_MISSING', 'The required parameter, data, is missing.', '')
  refuseOthers(body, ['data', 'jsonapi'], '')
  const { data } = body
  refuseOthers(data, ['type', 'id', 'attributes', 'relationships'], '/data')
  if (data.type !== 'exports') throw badBody('BAD_REQUEST', 'data.type must be "exports".', '/data/type')
  // Clients send it empty.
  if (data.relationships !== undefined) {
    if (!isObject(data.relationships)) throw badBody('BAD_REQUEST', 'relationships must be an object.', '/data/relationships')
    refuseOthers(data.relationships, [], '/data/relationships')
  }
  const { attributes = {} } = data
  if (!isObject(attributes)) throw badBody('BAD_REQUEST', 'attributes must be an object.', '/data/attributes')
  refuseOthers(attributes, allowed, '/data/attributes')
  return { id: data.id, attributes }
}

function refuseOthers(members: Members, known: readonly string[], at: string): void {
  const unknown = Object.keys(members).find((name) => !known.includes(name))
  if (unknown !== undefined) throw notAllowed(unknown, `${at}/${escaped(unknown)}`)
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Null, absent and the default are the same: clients send null for what they do not set. */
export function readFlag(attributes: Members, name: string): boolean {
  const value = attributes[name] ?? false
  if (typeof value === 'boolean') return value
  throw invalidAttribute(name, 'must be true or false', { error: 'invalid' })
}

const MAX_LIST = 1_000

export function readNames(attributes: Members, name: string): readonly string[] {
  const value = attributes[name] ?? []
  if (!Array.isArray(value)) throw invalidAttribute(name, 'must be a list of names', { error: 'invalid' })
  if (value.length > MAX_LIST) {
    throw invalidAttribute(name, `is too long (maximum is ${MAX_LIST} entries)`, { error: 'too_long', count: MAX_LIST })
  }
  return value.map((entry: unknown, index) => {
    if (typeof entry === 'string') return entry
    throw invalidAttribute(`${name}/${index}`, 'must be a name', { error: 'invalid' })
  })
}

export function readObject(attributes: Members, name: string): Members {
  const value = attributes[name] ?? {}
  if (isObject(value)) return value
  throw invalidAttribute(name, 'must be an object', { error: 'invalid' })
}

const MAX_TEXT = 255

export function readText(attributes: Members, name: string): string | null {
  const value = attributes[name] ?? null
  if (value === null) return null
  if (typeof value !== 'string') throw invalidAttribute(name, 'must be a string', { error: 'invalid' })
  if (value.length > MAX_TEXT) {
    throw invalidAttribute(name, `is too long (maximum is ${MAX_TEXT} characters)`, { error: 'too_long', count: MAX_TEXT })
  }
  return value
}

/** `fallback` where it is absent or null. */
export function readOneOf<Value extends string>(
  attributes: Members,
  name: string,
  values: readonly Value[],
  fallback?: Value,
): Value {
  const value = attributes[name] ?? fallback
  if (value === undefined) throw invalidAttribute(name, "can't be blank", { error: 'blank' })
  const known = values.find((each) => each === value)
  if (known !== undefined) return known
  throw invalidAttribute(name, 'is not included in the list', {
    error: 'inclusion',
    value: typeof value === 'string' ? shortened(value) : null,
    allowed: values.slice(0, 100),
  })
}

export function readMetadata(attributes: Members): Members {
  const metadata = readObject(attributes, 'metadata')
  checkMetadata(metadata, attributePointer('metadata'))
  return metadata
}
