/** Values that are no column's own: LIKE patterns and JSON documents. */
import { type Problem, textProblem } from './values.ts'

/** SQLite refuses longer ones (SQLITE_MAX_LIKE_PATTERN_LENGTH). */
const MAX_PATTERN_BYTES = 50_000
const MAX_DEPTH = 50

/** Why a pattern is refused, or null. A backslash before anything else would be dropped by one database and kept by another. */
export function patternProblem(pattern: string): string | null {
  if (Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) return 'a pattern of at most 50,000 bytes'
  const escaped = pattern.replace(/\\[\\%_]/g, '')
  return escaped.includes('\\') ? 'a pattern in which a backslash stands only before %, _ or another backslash' : null
}

/** A JSON document as text. Numbers that JSON could not carry exactly are refused. */
export function documentText(value: unknown): { json: string } | Problem {
  const problem = documentProblem(value)
  if (problem !== null) return { problem }
  const json = JSON.stringify(value)
  const tooLong = textProblem(json)
  return tooLong === null ? { json } : { problem: tooLong }
}

function documentProblem(document: unknown): string | null {
  // Not recursive: a document nested 100,000 deep must not overflow the stack.
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: document, depth: 0 }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next
    if (depth > MAX_DEPTH) return `JSON at most ${MAX_DEPTH} levels deep`
    if (typeof value === 'string') {
      const problem = textProblem(value)
      if (problem !== null) return problem
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
        return 'JSON whose numbers are finite and whole ones within 2^53'
      }
    } else if (Array.isArray(value)) {
      for (const element of value) open.push({ value: element, depth: depth + 1 })
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        open.push({ value: name, depth }, { value: member, depth: depth + 1 })
      }
    } else if (typeof value !== 'boolean' && value !== null) {
      return 'a JSON document'
    }
  }
  return null
}
