/** The predicates of this protocol's filters, by what they take. The same words filter exported rows and the list of exports. */

export type Takes = 'value' | 'list' | 'flag' | 'document'

const VALUES =
  'eq eq_or_null not_eq not_eq_or_null matches does_not_match lt lteq gt gteq start not_start end not_end cont not_cont'
const LISTS = `in in_or_null not_in not_in_or_null not_eq_all matches_any matches_all does_not_match_any does_not_match_all
  lt_any lt_all lteq_any lteq_all gt_any gt_all gteq_any gteq_all start_any start_all not_start_any not_start_all
  end_any end_all not_end_any not_end_all cont_any cont_all not_cont_all`
const FLAGS = 'present blank null not_null true false'

export const PREDICATES: ReadonlyMap<string, Takes> = new Map<string, Takes>([
  ...words(VALUES, 'value'),
  ...words(LISTS, 'list'),
  ...words(FLAGS, 'flag'),
  ['jcont', 'document'],
])

function words(text: string, takes: Takes): [string, Takes][] {
  return text.split(/\s+/).map((word) => [word, takes])
}

/** A list is sent as text with commas between, by clients that can send nothing else. */
export function listOf(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? [] : value.split(',')
  return typeof value === 'number' ? [value] : value
}

/** `true`, `1` and the like, in whatever way a client can send them; anything else as it is. */
export function flagOf(value: unknown): unknown {
  if (value === 'true' || value === '1' || value === 1) return true
  if (value === 'false' || value === '0' || value === 0) return false
  return value
}
