/** Errors on the wire: JSON:API error objects, with the codes and texts that this protocol's clients know. */
import { type ErrorCode, FreightError } from '../../job/errors.ts'
import type { Refusal, RefusalAnswer, RefusedRequest } from '../protocol.ts'

export const MEDIA_TYPE = 'application/vnd.api+json'

export interface WireError {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly source?: { readonly pointer: string } | { readonly parameter: string }
  /** Clients read `meta.error` of a 422 unguarded: it is always there. */
  readonly meta?: Readonly<Record<string, unknown>>
}

/** A refusal that is this protocol's own business, already in its words. */
export class WireRefusal extends FreightError {
  readonly wire: WireError

  constructor(wire: WireError) {
    super(wire.status === 422 ? 'VALIDATION_FAILED' : 'INVALID_REQUEST', wire.detail)
    this.wire = wire
  }
}

/** 422 about one attribute: `error` is the word that clients switch on. */
export function invalidAttribute(
  attribute: string,
  title: string,
  meta: { error: string } & Record<string, unknown>,
): WireRefusal {
  return new WireRefusal({
    status: 422,
    code: 'VALIDATION_ERROR',
    title,
    detail: `${attribute} - ${title}`,
    source: { pointer: attributePointer(attribute) },
    meta,
  })
}

/** A name as one step of a JSON Pointer (RFC 6901, section 3). */
export function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** `attribute`: a name of this protocol's own, with an index behind it where it is about one entry. */
export function attributePointer(attribute: string): string {
  return `/data/attributes/${attribute}`
}

/** 400 about a member of the body. */
export function notAllowed(name: string, pointer: string): WireRefusal {
  return new WireRefusal({
    status: 400,
    code: 'PARAM_NOT_ALLOWED',
    title: 'Param not allowed',
    detail: `${shortened(name)} is not allowed.`,
    source: { pointer: shortened(pointer) },
  })
}

/** 400 about the body as a whole. */
export function badBody(code: 'BAD_REQUEST' | 'PARAM_MISSING', detail: string, pointer: string): WireRefusal {
  const title = code === 'PARAM_MISSING' ? 'Missing Parameter' : 'Bad request'
  return new WireRefusal({ status: 400, code, title, detail, source: { pointer } })
}

export type ParameterCode =
  | 'PARAM_NOT_ALLOWED'
  | 'INVALID_FIELD'
  | 'INVALID_INCLUDE'
  | 'INVALID_SORT_CRITERIA'
  | 'FILTER_NOT_ALLOWED'
  | 'INVALID_FILTER_VALUE'
  | 'INVALID_PAGE_VALUE'

const PARAMETER_TITLES: Readonly<Record<ParameterCode, string>> = {
  PARAM_NOT_ALLOWED: 'Param not allowed',
  INVALID_FIELD: 'Invalid field',
  INVALID_INCLUDE: 'Invalid include',
  INVALID_SORT_CRITERIA: 'Invalid sort criteria',
  FILTER_NOT_ALLOWED: 'Filter not allowed',
  INVALID_FILTER_VALUE: 'Invalid filter value',
  INVALID_PAGE_VALUE: 'Invalid page value',
}

/** 400 about a query parameter. */
export function badParameter(code: ParameterCode, parameter: string, detail: string): WireRefusal {
  const source = { parameter: shortened(parameter) }
  return new WireRefusal({ status: 400, code, title: PARAMETER_TITLES[code], detail, source })
}

const LONGEST_SHOWN = 200

/** What a caller sent is named, but not sent back by the megabyte. */
export function shortened(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN).toWellFormed()}…` : text
}

/** `code` and `title` of those that are not about one attribute. What has no entry here is told by its status alone. */
const KNOWN: Readonly<Partial<Record<ErrorCode, readonly [code: string, title: string]>>> = {
  UNAUTHORIZED: ['UNAUTHORIZED', 'Access denied'],
  FORBIDDEN: ['FORBIDDEN', 'Forbidden'],
  NOT_FOUND: ['RECORD_NOT_FOUND', 'Record not found'],
  METHOD_NOT_ALLOWED: ['METHOD_NOT_ALLOWED', 'Method not allowed'],
  NOT_ACCEPTABLE: ['NOT_ACCEPTABLE', 'Not acceptable'],
  UNSUPPORTED_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Unsupported media type'],
  PAYLOAD_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'Payload too large'],
  URI_TOO_LONG: ['URI_TOO_LONG', 'URI too long'],
  RATE_LIMITED: ['TOO_MANY_REQUESTS', 'Too many requests'],
  INVALID_JSON: ['BAD_REQUEST', 'Bad request'],
  INVALID_REQUEST: ['BAD_REQUEST', 'Bad request'],
  EXPORT_ACTIVE: ['LOCKED', 'Locked'],
}

/** What makes clients fetch a new token, where they find that the old one has expired. */
const INVALID_TOKEN: WireError = {
  status: 401,
  code: 'INVALID_TOKEN',
  title: 'Invalid token',
  detail: 'The access token is not valid, or it has expired.',
}

/** Three parts, as a signed token has them (RFC 7515, section 3.1); an API key has no dots. */
function sentToken({ headers }: RefusedRequest): boolean {
  return /^bearer [\w-]+\.[\w-]+\.[\w-]*$/i.test(headers.authorization ?? '')
}

const UNAUTHORIZED_DETAIL = 'You are not authorized to perform this action on the requested resource.'
const NOT_FOUND_DETAIL = 'The requested resource was not found. Please double-check the resource id.'

/** The word in `meta.error` for what the catalog refuses: the names that Rails gives its validations. */
const VALIDATIONS: Readonly<Partial<Record<ErrorCode, readonly [error: string, title: string]>>> = {
  RESOURCE_UNKNOWN: ['inclusion', 'is not included in the list'],
  FORMAT_UNKNOWN: ['inclusion', 'is not included in the list'],
  TOO_MANY_ACTIVE: ['too_many', 'has too many exports pending or in progress'],
}

/** The form of every refusal below this protocol's paths. */
export function refuse({ error, status, headers }: Refusal, request: RefusedRequest): RefusalAnswer {
  const wire = error instanceof WireRefusal ? error.wire : wireOf(error, status, request)
  return {
    status: wire.status,
    headers: { ...headers, 'content-type': MEDIA_TYPE },
    body: JSON.stringify({ errors: [{ ...wire, status: String(wire.status) }] }),
  }
}

function wireOf(error: FreightError, status: number, request: RefusedRequest): WireError {
  // What is running cannot be deleted; a verb that does not fit is one more attribute that cannot be had.
  if (error.code === 'EXPORT_ACTIVE') return plain(423, error.code, error.message)
  if (error.code === 'UNAUTHORIZED') return sentToken(request) ? INVALID_TOKEN : plain(401, error.code, UNAUTHORIZED_DETAIL)
  if (error.code === 'NOT_FOUND') return plain(404, error.code, NOT_FOUND_DETAIL)
  if (status === 422 || VALIDATIONS[error.code]) return validation(error)
  return plain(status, error.code, error.message)
}

function plain(status: number, freightCode: ErrorCode, detail: string): WireError {
  const [code, title] = KNOWN[freightCode] ?? byStatus(status)
  return { status, code, title, detail }
}

function byStatus(status: number): readonly [code: string, title: string] {
  if (status === 503) return ['SERVICE_UNAVAILABLE', 'Service unavailable']
  return status >= 500 ? ['INTERNAL_SERVER_ERROR', 'Internal server error'] : ['BAD_REQUEST', 'Bad request']
}

/** `pointer` of a FreightError that reaches this place is one into the body as it was sent. */
function validation(error: FreightError): WireError {
  // The vendor's command line shows a title and nothing else.
  const [word, title] = VALIDATIONS[error.code] ?? ['invalid', error.message]
  const { pointer = '/data', allowed } = error.details
  return {
    status: 422,
    code: 'VALIDATION_ERROR',
    title,
    detail: error.message,
    source: { pointer: shortened(pointer) },
    meta: { error: word, ...(allowed === undefined ? {} : { allowed: allowed.slice(0, 100) }) },
  }
}
