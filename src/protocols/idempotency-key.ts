/** The Idempotency-Key header of a wire protocol. */
import { FreightError } from '../job/errors.ts'

/**
 * Null when the header is absent. The comma is refused with the rest (a proxy joins two headers with one), so the protocol's name and a comma
 * in front make its keys different from those of every other. Throws IDEMPOTENCY_KEY_INVALID.
 */
export function readIdempotencyKey(protocol: string, key: string | readonly string[] | undefined): string | null {
  if (key === undefined) return null
  if (typeof key === 'string' && /^[\x20-\x2b\x2d-\x7e]{1,255}$/.test(key)) return `${protocol},${key}`
  throw new FreightError(
    'IDEMPOTENCY_KEY_INVALID',
    'Idempotency-Key must be one value of 1 to 255 printable ASCII characters without commas',
  )
}
