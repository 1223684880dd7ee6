/** "Did you mean ...?": the one of the allowed names that a misspelt name was probably meant to be. */

/** Longer names are compared by their beginning; a caller's megabyte must not cost time. */
const COMPARED = 64

/** Null when nothing is asked or near enough: at most a third of the letters differ. Letter case counts as half a difference. */
export function nearestName(name: string, allowed: Iterable<string>): string | null {
  if (name === '') return null
  const asked = name.slice(0, COMPARED)
  const bound = Math.max(1, Math.floor(asked.length / 3))
  let nearest: string | null = null
  let least = bound + 0.5
  for (const candidate of allowed) {
    if (Math.abs(candidate.length - asked.length) > bound) continue
    const distance = differences(asked, candidate.slice(0, COMPARED))
    if (distance < least) {
      nearest = candidate
      least = distance
    }
  }
  return nearest
}

/** `' Did you mean "status"?'`, or nothing: to be put behind a message. */
export function didYouMean(name: string, allowed: Iterable<string>): string {
  const nearest = nearestName(name, allowed)
  return nearest === null ? '' : ` Did you mean ${JSON.stringify(nearest)}?`
}

/** Edit distance with swapped neighbours as one step (optimal string alignment). */
function differences(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const step = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
      const change = (last[column - 1] ?? 0) + unlikeness(a[row - 1], b[column - 1])
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(Math.min(step, change, swapped ? (beforeLast[column - 2] ?? 0) + 1 : Infinity))
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}

function unlikeness(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  return a?.toLowerCase() === b?.toLowerCase() ? 0.5 : 1
}
