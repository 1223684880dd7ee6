/**
 * What stands for a masked value, for sources that can call this code; `job/spec.ts` says what each mask gives. A database that cannot must be told
 * the same in its own SQL: the HMAC is `sha256(outer || sha256(inner || value))` with the two pads of `hmacPads` (RFC 2104).
 */
import { createHmac } from 'node:crypto'
import { FreightError } from '../job/errors.ts'
import type { CheckedPart, MaskName, Selected } from '../job/spec.ts'
import type { Query, Source } from './source.ts'

export const HASH_DIGITS = 32
const BLOCK_BYTES = 64

/** `key` is in hex. */
export function hashed(value: string | Uint8Array, key: string): string {
  return createHmac('sha256', Buffer.from(key, 'hex')).update(value).digest('hex').slice(0, HASH_DIGITS)
}

export function partial(value: string | Uint8Array): string {
  if (typeof value !== 'string') return '***'
  const characters = Array.from(value)
  const at = characters.indexOf('@')
  if (at > 0) return `${characters[0]}***${characters.slice(at).join('')}`
  return characters.length >= 8 ? `***${characters.slice(-4).join('')}` : '***'
}

export function hmacPads(key: string): { readonly inner: Buffer; readonly outer: Buffer } {
  const block = Buffer.alloc(BLOCK_BYTES)
  Buffer.from(key, 'hex').copy(block)
  return { inner: block.map((byte) => byte ^ 0x36) as Buffer, outer: block.map((byte) => byte ^ 0x5c) as Buffer }
}

/** Throws CONFIG_INVALID where a query asks for masks of a source that knows none: values must not go out as they are. */
export function assertMasks(source: Pick<Source, 'masks'>, { parts }: Pick<Query, 'parts'>): void {
  if (source.masks === true || !parts.some(({ select }) => hasMask(select, () => true))) return
  throw new FreightError(
    'CONFIG_INVALID',
    'Fields of this export are masked, which its kind of source cannot do. Hide them instead.',
  )
}

/** Whether the key is needed to read these parts. */
export function hashesAny(parts: readonly CheckedPart[]): boolean {
  return parts.some(({ select }) => hasMask(select, (mask) => mask === 'hash'))
}

function hasMask(select: readonly Selected[], isMeant: (mask: MaskName) => boolean): boolean {
  return select.some((node) =>
    node.kind === 'field' ? node.mask !== undefined && isMeant(node.mask) : hasMask(node.select, isMeant),
  )
}
