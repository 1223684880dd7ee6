/** What a schema refused, as one sentence with its place. */
import type { FastifyError, FastifySchemaValidationError } from 'fastify'
import { type ErrorCode, type ErrorDetails, FreightError } from '../../job/errors.ts'
import { didYouMean } from '../../job/suggestion.ts'
import { ExportSchema } from './answer-schemas.ts'
import { ExportBody, OptionsBody, PartBody } from './request-schemas.ts'

/** Sent back by someone who took an answer for a request: told apart from a typing error. */
const READ_ONLY: ReadonlySet<string> = new Set([
  ...Object.keys(ExportSchema.properties),
  'expired',
  'attachment_url',
  'storage_key',
])

/** The code that the catalog gives for the same place. */
const CODES: readonly (readonly [place: RegExp, code: ErrorCode])[] = [
  [/^\/format$/, 'FORMAT_UNKNOWN'],
  [/^\/compression$/, 'COMPRESSION_UNKNOWN'],
  [/^(\/parts\/\d+)?\/limit$/, 'LIMIT_INVALID'],
  [/^\/options\//, 'OPTION_INVALID'],
]

/** A name longer than any real one is not repeated, so that no answer holds a megabyte. */
const LONGEST_NAME = 200

/** Null when the error is not a refusal by a schema. */
export function validationError(error: FastifyError): FreightError | null {
  const [first] = error.validation ?? []
  if (!first) return null
  const isBody = error.validationContext === 'body'
  const place = pointerOf(first)
  // A query parameter has no depth: its name alone says where.
  const pointer = isBody ? place : place.split('/')[1]
  const code = isBody ? CODES.find(([where]) => where.test(place))?.[1] : undefined
  const allowed = allowedAt(first, isBody)
  const details: ErrorDetails = { ...(pointer === undefined ? {} : { pointer }), ...(allowed ? { allowed } : {}) }
  const subject = isBody ? (place === '' ? 'The body' : place) : `The query parameter ${pointer ?? ''}`
  return new FreightError(code ?? 'VALIDATION_FAILED', sentence(first, subject, isBody, allowed ?? []), {
    details,
  })
}

function pointerOf({ keyword, instancePath, params }: FastifySchemaValidationError): string {
  if (keyword === 'additionalProperties') return member(instancePath, String(params.additionalProperty))
  if (keyword === 'required') return member(instancePath, String(params.missingProperty))
  return instancePath
}

/** RFC 6901, section 3. */
function member(pointer: string, name: string): string {
  if (name.length > LONGEST_NAME) return pointer
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** What would have been accepted, where that is a list: the values of an enum, the names of an object. */
function allowedAt({ keyword, instancePath, params }: FastifySchemaValidationError, isBody: boolean): string[] | undefined {
  if (keyword === 'enum') return listOf(params.allowedValues)
  if (keyword !== 'additionalProperties' || !isBody) return undefined
  if (instancePath === '') return Object.keys(ExportBody.properties)
  return Object.keys(instancePath === '/options' ? OptionsBody.properties : PartBody.properties)
}

function listOf(values: unknown): string[] {
  return Array.isArray(values) ? values.map((value) => (value === null ? 'null' : String(value))) : []
}

function sentence(
  { keyword, params, message }: FastifySchemaValidationError,
  subject: string,
  isBody: boolean,
  allowed: readonly string[],
): string {
  switch (keyword) {
    case 'additionalProperties':
      if (isBody && READ_ONLY.has(String(params.additionalProperty))) return `${subject} is set by Freight and cannot be sent.`
      if (String(params.additionalProperty).length > LONGEST_NAME) return `${subject} has a member that is not known here.`
      return `${subject} is not known here.${didYouMean(String(params.additionalProperty), allowed)}`
    case 'required':
      return `${subject} is missing.`
    case 'enum':
      return `${subject} must be one of: ${listOf(params.allowedValues).join(', ')}.`
    case 'type':
      return `${subject} must be ${[params.type].flat().map(String).join(' or ')}.`
    case 'maxProperties':
      return `${subject} has more than ${params.limit} members.`
    default:
      return `${subject} ${message ?? 'is not allowed as it is'}.`
  }
}
