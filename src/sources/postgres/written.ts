/** Whether COPY itself writes a CSV as the format would, to the byte. */
import { type FlatLeaf, flatLeaves } from '../../job/shape.ts'
import type { CheckedPart, WrittenForm } from '../../job/spec.ts'
import type { Bench } from './relations.ts'

export function writesAlike(bench: Bench, part: CheckedPart, form: WrittenForm): boolean {
  const isAsStored = form.output.times === 'database'
  return isCopyCsv(bench, part, form) && (isAsStored || flatLeaves(part.select).every(({ leaf }) => !isTime(leaf)))
}

/** The same, but for times. */
export function isCopyCsv(bench: Bench, part: CheckedPart, { format, output }: WrittenForm): boolean {
  // The empty text: COPY quotes it only where it would be taken for NULL.
  // Other profiles spell bytes and numbers in ways of their own; `postgres` differs by NULs, of which there are none here.
  const isKnown = output.profile === 'machine' || output.profile === 'postgres'
  const isPlain = isKnown && output.nullText === '' && output.lineEnd === '\n' && !output.formulaGuard
  if (format !== 'csv' || !isPlain || !bench.isValidText) return false
  return flatLeaves(part.select).every(({ path, leaf }) => {
    if (leaf.kind === 'many') return false
    // Masked: text that never is empty, or NULL.
    if (leaf.hidden || leaf.mask) return true
    // Where the configuration says another type than the database, a cell may be spelled anew.
    return leaf.type === bench.tables.column(path.at(-1)?.join.table ?? part.table, leaf.column).type
  })
}

function isTime(leaf: FlatLeaf['leaf']): boolean {
  return leaf.kind === 'field' && !leaf.hidden && !leaf.mask && leaf.type === 'timestamp'
}
