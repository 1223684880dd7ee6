/** Masks in DuckDB's SQL, as `mask.ts` makes them in code. The key reaches the process of the query as bound values, never in a statement. */
import { FreightError } from '../../job/errors.ts'
import type { MaskName } from '../../job/spec.ts'
import type { Binder } from '../compile.ts'
import { HASH_DIGITS, hmacPads } from '../mask.ts'

/** An expression that gives a value as the file has it. */
export type Masked = { readonly text: string } | { readonly bytes: string }

/** An expression: the text that stands for the value, NULL where that is NULL. Throws where there is no key to hash with. */
export function maskSql(mask: MaskName, value: Masked, binder: Binder, maskKey: string | null): string {
  if (mask === 'null') return 'cast(null as varchar)'
  if (mask === 'hash') return hashSql('bytes' in value ? value.bytes : `encode(${value.text})`, binder, maskKey)
  return 'bytes' in value ? `case when ${value.bytes} is null then null else '***' end` : partialSql(value.text)
}

function hashSql(bytes: string, binder: Binder, maskKey: string | null): string {
  if (maskKey === null)
    throw new FreightError('SOURCE_FAILED', 'Fields of this export are hashed, and there is no key to hash with.')
  const { inner, outer } = hmacPads(maskKey)
  const pad = (bound: Buffer): string => `unhex(${binder.bind(bound.toString('hex'))})`
  const digest = (of: string): string => `sha256(${of})`
  return `left(${digest(`${pad(outer)} || unhex(${digest(`${pad(inner)} || ${bytes}`)})`)}, ${HASH_DIGITS})`
}

/** Characters are code points here, as in `mask.ts`. */
function partialSql(text: string): string {
  const at = `strpos(${text}, '@')`
  return `case when ${text} is null then null when ${at} > 1 then left(${text}, 1) || '***' || substr(${text}, ${at})
    when length(${text}) >= 8 then '***' || right(${text}, 4) else '***' end`
}
