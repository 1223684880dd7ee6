/** Rows processed and expected, over all parts of a run. */
import type { RowCount } from '../job/row-text.ts'
import type { RunProgress } from './run.ts'

export class Ledger {
  #processed: number[]
  #totals: RowCount[]
  readonly #report: (progress: RunProgress) => void

  constructor(parts: number, report: (progress: RunProgress) => void) {
    this.#processed = new Array<number>(parts).fill(0)
    this.#totals = new Array<RowCount>(parts).fill({ rows: null, exact: false })
    this.#report = report
  }

  processed(part: number): number {
    return this.#processed[part] ?? 0
  }

  add(part: number, rows: number): void {
    this.#processed[part] = this.processed(part) + rows
    this.#report(this.#progress())
  }

  total(part: number, count: RowCount): void {
    this.#totals[part] = count
    this.#report(this.#progress())
  }

  finished(): RunProgress {
    const processed = this.#processed.reduce((sum, rows) => sum + rows, 0)
    return { processed, total: processed, totalIsEstimate: false }
  }

  #progress(): RunProgress {
    const processed = this.#processed.reduce((sum, rows) => sum + rows, 0)
    let total: number | null = 0
    for (const count of this.#totals) total = total === null || count.rows === null ? null : total + count.rows
    return { processed, total, totalIsEstimate: !this.#totals.every((count) => count.exact) }
  }
}
