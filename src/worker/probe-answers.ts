/** The probe's answers, each from the same source and format code that a run uses. */
import type { Preview } from '../exports/probe.ts'
import type { RowCount } from '../job/row-text.ts'
import type { CheckedSpec } from '../job/spec.ts'
import { RowTally } from '../job/tally.ts'
import type { Parts } from '../parts.ts'
import type { Query, TableDescription } from '../sources/source.ts'
import { withoutLeftOut } from './left-out.ts'
import type { ProbeQuestion } from './probe-messages.ts'
import { fieldsOf } from './run-manifest.ts'

export interface Answers {
  answer(question: ProbeQuestion, ms: number, signal: AbortSignal): Promise<unknown>
}

/** Each has a reader thread of its own, and more of them only hold each other up. */
const SNAPSHOTS_AT_ONCE = 4

export function createAnswers(parts: Parts): Answers {
  const turns = new Turns(SNAPSHOTS_AT_ONCE)
  return {
    answer(question, ms, signal) {
      switch (question.ask) {
        case 'tables':
          return parts.source(question.source).tables()
        case 'describe':
          return describe(parts, question.source, question.tables)
        case 'count':
          return count(parts, turns, question.spec, ms, signal)
        case 'preview':
          return turns.run(signal, () => preview(parts, question.spec, question.rows, signal))
      }
    },
  }
}

async function describe(parts: Parts, source: string, tables: readonly string[]): Promise<(TableDescription | null)[]> {
  const described: (TableDescription | null)[] = []
  for (const table of tables) described.push(await parts.source(source).describe(table))
  return described
}

/** Exact where there is time; else from statistics, marked as an estimate. */
async function count(parts: Parts, turns: Turns, spec: CheckedSpec, ms: number, signal: AbortSignal): Promise<RowCount> {
  const source = parts.source(spec.source)
  const deadline = performance.now() + ms
  const exact = await turns
    .run(signal, () => countExactly(parts, spec, deadline, signal))
    .catch((error: unknown) => {
      if (signal.aborted) return null
      throw error
    })
  if (exact) return exact
  // The time is over: the estimate reads statistics only and has no limit to keep.
  let rows: number | null = 0
  for (const part of spec.parts) {
    const estimate: RowCount = await source.estimate(part, new AbortController().signal)
    rows = rows === null || estimate.rows === null ? null : rows + estimate.rows
  }
  return { rows, exact: false }
}

async function countExactly(parts: Parts, spec: CheckedSpec, deadline: number, signal: AbortSignal): Promise<RowCount | null> {
  const snapshot = await parts.source(spec.source).open(queryOf(parts, spec, spec.parts), signal)
  try {
    let rows = 0
    for (const index of spec.parts.keys()) {
      const counted = await snapshot.count(index, { ms: Math.max(1, deadline - performance.now()) })
      if (counted.rows === null || !counted.exact) return null
      rows += counted.rows
    }
    return { rows, exact: true }
  } finally {
    await snapshot.close()
  }
}

function queryOf(parts: Parts, spec: CheckedSpec, read: CheckedSpec['parts']): Query {
  const { layout } = parts.format(spec.format)
  return { parts: read, layout, sessionVariables: spec.sessionVariables ?? {}, onRowError: spec.onRowError ?? 'fail' }
}

async function preview(parts: Parts, spec: CheckedSpec, rows: number, signal: AbortSignal): Promise<Preview> {
  const [first] = spec.parts
  if (!first) return { bytes: new Uint8Array(), rows: 0, fields: [], changes: [] }
  const part = { ...first, limit: first.limit === null ? rows : Math.min(rows, first.limit) }
  const format = parts.format(spec.format)
  const snapshot = await parts.source(spec.source).open(queryOf(parts, spec, [part]), signal)
  try {
    const tally = new RowTally(part.resource, spec.onRowError)
    const shape = snapshot.shape(0)
    const chunks: Uint8Array[] = []
    const wanted = { format: spec.format, output: spec.output }
    for await (const chunk of format.encode(withoutLeftOut(snapshot.rows(0, wanted), tally), shape, spec.output, tally))
      chunks.push(Uint8Array.from(chunk))
    const fields = fieldsOf(part.resource, shape, '').map(({ name, type }) => ({ name, type }))
    return { bytes: Buffer.concat(chunks), rows: tally.rows, fields, changes: tally.changes }
  } finally {
    await snapshot.close()
  }
}

/** Lets so many work at once; the others wait in the order in which they came, as long as their signal lets them. */
class Turns {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Rejects with the signal's reason when it aborts before the turn has come. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(signal)
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      if (next) next()
      else this.#free += 1
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const come = (): void => {
        leave()
        resolve()
      }
      const giveUp = (): void => {
        leave()
        reject(signal.reason)
      }
      const leave = (): void => {
        this.#waiting.delete(come)
        signal.removeEventListener('abort', giveUp)
      }
      this.#waiting.add(come)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }
}
