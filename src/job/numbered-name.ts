/** Names of the files of a split export: `orders.csv.gz` becomes `orders-00001.csv.gz` and so on. */

const ENDING = /(\.[A-Za-z0-9]+)?\.(gz|zst)$|\.[A-Za-z0-9]+$/
const DIGITS = 5

/** The name of file `number` (from 1). Names sort as the files follow each other. */
export function numberedName(name: string, number: number): string {
  const { stem, ending } = cut(name)
  return `${stem}-${String(number).padStart(DIGITS, '0')}${ending}`
}

/** Whether `candidate` is `name` with some number. */
export function isNumberedName(name: string, candidate: string): boolean {
  const { stem, ending } = cut(name)
  if (!candidate.startsWith(`${stem}-`) || !candidate.endsWith(ending)) return false
  return /^\d{5,}$/.test(candidate.slice(stem.length + 1, candidate.length - ending.length))
}

/** A leading dot begins a name and no ending. */
function cut(name: string): { stem: string; ending: string } {
  const ending = ENDING.exec(name.slice(1))?.[0] ?? ''
  return { stem: name.slice(0, name.length - ending.length), ending }
}
