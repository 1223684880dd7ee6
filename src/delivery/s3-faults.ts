/** What an S3 server or the way to it did wrong, as a DeliveryFault. */
import { DeliveryFault } from './delivery.ts'
import { quiet } from './quiet.ts'

/** Refusals that pass although they are of the 400s: the server waited too long for bytes, or they were damaged on the way. */
const PASSING = new Set(['RequestTimeout', 'IncompleteBody', 'BadDigest', 'XAmzContentMD5Mismatch', 'OperationAborted'])
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage'])
const NO_CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
  'AuthorizationHeaderMalformed',
])

interface ServiceError extends Error {
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** `secrets` never stand in what comes back, its cause included. */
export function s3Fault(thrown: unknown, secrets: readonly string[]): DeliveryFault {
  const refused = faultIn(thrown)
  if (refused) return refused
  const error: ServiceError = thrown instanceof Error ? thrown : new Error(String(thrown))
  const cause = quiet(error, secrets)
  const status = error.$metadata?.httpStatusCode
  const code = codeOf(error)
  if (status === undefined || status < 300) return new DeliveryFault('passing', lost(error, code), cause)
  const [kind, message] = answered(status, code)
  return new DeliveryFault(kind, message, cause)
}

function answered(status: number, code: string): [kind: 'passing' | 'refused', message: string] {
  const said = code === '' ? `status ${status}` : code
  if (status === 507 || FULL.has(code)) return ['refused', `it has no space left (${said})`]
  if (NO_CREDENTIALS.has(code) || status === 401) return ['refused', `it refused the credentials (${said})`]
  if (status === 403) return ['refused', `it does not allow writing there (${said})`]
  if (code === 'NoSuchBucket') return ['refused', 'there is no such bucket']
  if (status < 400) return ['refused', 'the bucket is in another region']
  if (status >= 500 || status === 408 || status === 409 || status === 429 || PASSING.has(code)) {
    return ['passing', `it could not take the file (${said})`]
  }
  return ['refused', `it refused the file (${said})`]
}

function lost(error: Error, code: string): string {
  if (error.name === 'TimeoutError') return 'it gave no sign for too long'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name could not be resolved'
  return code === '' ? 'the connection to it failed' : `the connection to it failed (${code})`
}

/** A short word of the server's or the system's; anything longer is prose, and not ours to repeat. */
function codeOf(error: ServiceError): string {
  for (const word of [error.code, error.name]) {
    if (typeof word === 'string' && /^[A-Z][A-Za-z0-9_]{1,40}$/.test(word) && word !== 'Error' && word !== 'TimeoutError')
      return word
  }
  return ''
}

/** The look-up's refusal comes wrapped by whoever asked for the connection. */
function faultIn(thrown: unknown): DeliveryFault | null {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof DeliveryFault) return at
  }
  return null
}
