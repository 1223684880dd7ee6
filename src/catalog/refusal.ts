/** How the catalog refuses: a place in the request, what would have been accepted there, and the nearest name. */
import { type ErrorCode, FreightError } from '../job/errors.ts'
import { didYouMean } from '../job/suggestion.ts'

const LISTED = 100
const QUOTED = 80

export interface Choice {
  /** What the caller wrote. */
  readonly asked: string
  readonly allowed: Iterable<string>
}

/** `at` is a JSON Pointer into the request (RFC 6901). */
export function refusal(code: ErrorCode, at: string, message: string, choice?: Choice): FreightError {
  if (!choice) return new FreightError(code, message, { details: { pointer: at } })
  const allowed = [...choice.allowed]
  return new FreightError(code, message + didYouMean(choice.asked, allowed), {
    details: { pointer: at, allowed: allowed.slice(0, LISTED) },
  })
}

export function unknownResource(at: string, choice: Choice): FreightError {
  return refusal('RESOURCE_UNKNOWN', at, `There is no resource ${quoted(choice.asked)}.`, choice)
}

/** A caller's own word inside a message: escaped, and cut where it is long. */
export function quoted(text: string): string {
  return text.length > QUOTED ? `${JSON.stringify(text.slice(0, QUOTED))}...` : JSON.stringify(text)
}

/** One member of a JSON Pointer. A name too long to be real is left out, so that no answer repeats a megabyte. */
export function member(pointer: string, name: string | number): string {
  const text = String(name)
  if (text.length > 1_000) return pointer
  return `${pointer}/${text.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
