/** From the wire to what a caller asks for: the body of POST /exports, and its headers. Pure. */
import type { NewExport } from '../../exports/create.ts'
import { checkMetadata } from '../../exports/metadata.ts'
import { FreightError } from '../../job/errors.ts'
import type { PartRequest } from '../../job/spec.ts'
import type { ExportBody } from './request-schemas.ts'

type PartBody = Pick<ExportBody, (typeof PART_NAMES)[number]>
const PART_NAMES = ['resource', 'fields', 'includes', 'filters', 'sort', 'limit', 'split'] as const

/** `body` has passed its schema; what a schema cannot say is checked here. Throws VALIDATION_FAILED. */
export function readExport(body: ExportBody): Omit<NewExport, 'idempotency'> {
  const metadata = body.metadata ?? {}
  checkMetadata(metadata, '/metadata')
  return {
    request: {
      parts: readParts(body),
      format: body.format ?? 'csv',
      compression: body.compression ?? null,
      options: body.options ?? {},
      dryData: body.dry_data ?? false,
      onRowError: body.on_row_error ?? 'fail',
    },
    reference: body.reference ?? null,
    referenceOrigin: body.reference_origin ?? null,
    metadata,
  }
}

function readParts(body: ExportBody): PartRequest[] {
  if (body.parts === undefined) {
    if (body.resource === undefined) throw refusal('/resource', 'Name the resource to export.')
    return [readPart(body)]
  }
  const doubled = PART_NAMES.find((name) => body[name] !== undefined)
  if (doubled) throw refusal(`/${doubled}`, `With parts, ${doubled} stands inside each part and not beside them.`)
  return body.parts.map(readPart)
}

function readPart(part: PartBody): PartRequest {
  return {
    resource: part.resource ?? '',
    fields: part.fields ?? [],
    includes: part.includes ?? [],
    filters: part.filters ?? {},
    sort: part.sort ?? [],
    limit: part.limit ?? null,
    split: part.split ?? null,
  }
}

function refusal(pointer: string, message: string): FreightError {
  return new FreightError('VALIDATION_FAILED', message, { details: { pointer } })
}

/** The catalog names a single part's places as if they stood at the top; a body may have it inside `parts`. Anything else passes. */
export function atWirePlace(thrown: unknown, body: ExportBody): unknown {
  if (!(thrown instanceof FreightError) || body.parts?.length !== 1) return thrown
  const { pointer } = thrown.details
  if (pointer === undefined || !PART_NAMES.some((name) => pointer === `/${name}` || pointer.startsWith(`/${name}/`)))
    return thrown
  return new FreightError(thrown.code, thrown.message, {
    details: { ...thrown.details, pointer: `/parts/0${pointer}` },
    cause: thrown.cause,
  })
}

/**
 * Null when the header is absent. Commas are refused with the rest: a proxy may join two headers with one (RFC 9110, section 5.3),
 * and then nobody knows which key was meant.
 */
export function readIdempotencyKey(key: string | readonly string[] | undefined): string | null {
  if (key === undefined) return null
  if (typeof key !== 'string' || !/^[\x20-\x2b\x2d-\x7e]{1,255}$/.test(key)) {
    throw new FreightError(
      'IDEMPOTENCY_KEY_INVALID',
      'Idempotency-Key is one value of 1 to 255 printable ASCII characters without commas.',
      { details: { pointer: 'Idempotency-Key' } },
    )
  }
  return key
}

/** Longer is not waited, whatever is asked. */
const LONGEST_WAIT_SECONDS = 30

/**
 * Seconds of the first `wait` preference (RFC 7240, section 4.3), at most 30; null when there is none or it makes no sense, for an
 * unknown or malformed preference is ignored (section 2).
 */
export function readWait(prefer: string | readonly string[] | undefined): number | null {
  for (const preference of [prefer ?? []].flat().join(',').split(',')) {
    const [, quoted, plain] = /^\s*wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;.*)?$/i.exec(preference) ?? []
    const seconds = quoted ?? plain
    if (seconds !== undefined) return Math.min(LONGEST_WAIT_SECONDS, Number(seconds))
    if (/^\s*wait\b/i.test(preference)) return null
  }
  return null
}

/** Whether the Accept header names `text/event-stream` (and not with q=0); a browser's EventSource sends exactly that. */
export function wantsEventStream(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((text) => text.trim().toLowerCase())
    return type === 'text/event-stream' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
  })
}

/** 0, for every event, where there is none or it is no `seq`. */
export function readLastEventId(header: string | readonly string[] | undefined): number {
  return typeof header === 'string' && /^[0-9]{1,15}$/.test(header) ? Number(header) : 0
}
