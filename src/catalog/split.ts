/** How a part's rows are split over several files. */
import type { Split } from '../job/spec.ts'
import { refusal } from './refusal.ts'

/** Smaller files than this are a slip of the pen (`10` for 10 MB), and would be one row each. */
const LEAST_BYTES = 1024

/** Null for one file. `at` is the place of the part in the request. */
export function checkSplit(asked: unknown, at: string): Split | null {
  if (asked === undefined || asked === null) return null
  const place = `${at}/split`
  const members = typeof asked === 'object' ? Object.entries(asked) : []
  const [only, second] = members
  if (!only || second || (only[0] !== 'rows' && only[0] !== 'bytes')) {
    throw refusal('OPTION_INVALID', place, 'split is either { "rows": N } or { "bytes": N }; leave it out for one file.')
  }
  const [name, size] = only
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < (name === 'rows' ? 1 : LEAST_BYTES)) {
    const least = name === 'rows' ? 'a whole number of rows from 1' : `a whole number of bytes from ${LEAST_BYTES}`
    throw refusal('OPTION_INVALID', `${place}/${name}`, `split.${name} must be ${least}.`)
  }
  return name === 'rows' ? { rows: size } : { bytes: size }
}
