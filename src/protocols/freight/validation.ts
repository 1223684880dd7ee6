/** What a schema refused, as one sentence with its place. */
import type { FastifyError, FastifySchemaValidationError } from 'fastify'
import { type ErrorCode, type ErrorDetails, FreightError } from '../../job/errors.ts'
import { didYouMean } from '../../job/suggestion.ts'
import { ExportSchema } from './answer-schemas.ts'
import { ExportBody, OptionsBody, PartBody, splitSizes } from './request-schemas.ts'

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

const SPLIT = /\/split$/

/** A name longer than any real one is not repeated, so that no answer holds a megabyte. */
const LONGEST_NAME = 200

/** Null when the error is not a refusal by a schema. */
export function validationError(error: FastifyError): FreightError | null {
  const [first] = error.validation ?? []
  if (!first) return null
  return error.validationContext === 'body' ? refusedBody(first) : refusedParameter(first)
}

function refusedBody(refusal: FastifySchemaValidationError): FreightError {
  const pointer = pointerOf(refusal)
  const subject = pointer === '' ? 'The body' : pointer
  const code = CODES.find(([where]) => where.test(pointer))?.[1] ?? 'VALIDATION_FAILED'
  const { keyword, params } = refusal
  const allowed = keyword === 'additionalProperties' ? namesAt(refusal.instancePath) : valuesOf(refusal)
  const isReadOnly = keyword === 'additionalProperties' && READ_ONLY.has(String(params.additionalProperty))
  const message = isReadOnly ? `${subject} is set by Freight and cannot be sent.` : sentence(refusal, subject, allowed ?? [])
  return new FreightError(code, message, { details: { pointer, ...(allowed ? { allowed } : {}) } })
}

/** A query parameter has no depth: its name alone says where. */
function refusedParameter(refusal: FastifySchemaValidationError): FreightError {
  const name = pointerOf(refusal).split('/')[1]
  const allowed = valuesOf(refusal)
  const details: ErrorDetails = { ...(name === undefined ? {} : { pointer: name }), ...(allowed ? { allowed } : {}) }
  const message = sentence(refusal, `The query parameter ${name ?? ''}`, allowed ?? [])
  return new FreightError('VALIDATION_FAILED', message, { details })
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

/** The names of the object there. */
function namesAt(instancePath: string): string[] {
  if (instancePath === '') return Object.keys(ExportBody.properties)
  if (SPLIT.test(instancePath)) return Object.keys(splitSizes)
  return Object.keys(instancePath === '/options' ? OptionsBody.properties : PartBody.properties)
}

/** The values of an enum. */
function valuesOf({ keyword, params }: FastifySchemaValidationError): string[] | undefined {
  return keyword === 'enum' ? listOf(params.allowedValues) : undefined
}

function listOf(values: unknown): string[] {
  return Array.isArray(values) ? values.map((value) => (value === null ? 'null' : String(value))) : []
}

function sentence(
  { keyword, params, message }: FastifySchemaValidationError,
  subject: string,
  allowed: readonly string[],
): string {
  const isCount = keyword === 'minProperties' || keyword === 'maxProperties'
  if (isCount && SPLIT.test(subject)) return `${subject} takes one of: ${Object.keys(splitSizes).join(', ')}.`
  switch (keyword) {
    case 'additionalProperties':
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
