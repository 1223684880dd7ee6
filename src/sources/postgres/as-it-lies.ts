/**
 * Whole tables that do not lie in the order of their key: read from the first block to the last, since sorting them, or fetching their rows
 * in the order of the key, costs several times as much as reading them (tried with 1,500,000 rows by uuid: 8 s against 2 s).
 */
import type { CheckedPart } from '../../job/spec.ts'
import { literal } from './literals.ts'
import type { CopyText, PartPlan } from './part-plan.ts'
import type { KeyRange } from './ranges.ts'
import type { Bench } from './relations.ts'

/** Rows lie in the order of a key from about here on, so that reading by its index costs next to nothing. */
const IN_ORDER = 0.9

export function isReadAsItLies(bench: Bench, part: CheckedPart): boolean {
  const { correlation } = bench.tables.table(part.table)
  const isWhole = part.limit === null && part.where === null && part.scope === null
  const isPlain = part.sort.length === 0 && part.select.every(({ kind }) => kind === 'field')
  return isWhole && isPlain && correlation !== null && correlation < IN_ORDER
}

/** Rows in blocks from the first on, up to the second and without it, each as `(block,0)`. */
export function placeCondition(alias: string, { from, to }: KeyRange): string | null {
  const bounds = [
    ...(from === null ? [] : [`${alias}.ctid >= ${literal(from)}::pg_catalog.tid`]),
    ...(to === null ? [] : [`${alias}.ctid < ${literal(to)}::pg_catalog.tid`]),
  ]
  return bounds.length === 0 ? null : bounds.join(' and ')
}

/** The same statements, whose rows come in the order of their blocks, whatever they cost otherwise: two exports are alike. */
export function asItLies(plan: PartPlan): PartPlan {
  return {
    ...plan,
    rows: inOneScan(plan.rows),
    written(form) {
      const copy = plan.written(form)
      return copy && inOneScan(copy)
    },
    binary(form) {
      const binary = plan.binary(form)
      return binary && { ...binary, copy: inOneScan(binary.copy) }
    },
  }
}

/** An index that has all columns asked for, or several processes, would give the rows in another order. */
function inOneScan(copy: CopyText): CopyText {
  const settings = ['enable_indexonlyscan', 'max_parallel_workers_per_gather']
  const set = (value: string): string => settings.map((setting) => `set local ${setting} to ${value}`).join('; ')
  return (range) => `${set('0')}; ${copy(range)}; ${set('default')}`
}
