/** The SQL functions that the statements of a source call. */
import type { Database } from 'better-sqlite3'
import { jsonContains, parseJson } from '../../job/json-containment.ts'
import { hashed, partial } from '../mask.ts'
import { canonicalInstant } from './instant.ts'

/** Called from within running statements; throwing ends the statement. */
export interface StatementWatch {
  /** Every so many rows: the one place where a statement can be stopped from outside. */
  tick(): void
  /** Makes room in the batch for a row of so many bytes, or throws. */
  room(bytes: number): void
}

/** `maskKey` null: nothing is hashed. */
export function registerFunctions(db: Database, watch: StatementWatch, maskKey: string | null): void {
  registerMasks(db, maskKey)
  db.function('freight_tick', { directOnly: true }, () => {
    watch.tick()
    return 1
  })
  db.function('freight_room', { directOnly: true }, (bytes: unknown) => {
    watch.room(Number(bytes))
    return 1
  })
  db.function('freight_instant', { directOnly: true, deterministic: true }, (text: unknown) =>
    typeof text === 'string' ? canonicalInstant(text) : null,
  )
  // The same document is looked for in every row of a statement.
  let last: { text: string; document: ReturnType<typeof parseJson> } | null = null
  db.function('freight_json_contains', { directOnly: true, deterministic: true }, (whole: unknown, part: unknown) => {
    if (whole === null || typeof part !== 'string') return null
    if (typeof whole !== 'string' && typeof whole !== 'number') return 0
    if (last?.text !== part) last = { text: part, document: parseJson(part) }
    return jsonContains(String(whole), last.document) ? 1 : 0
  })
}

function registerMasks(db: Database, key: string | null): void {
  const register = (name: string, mask: (value: string | Uint8Array) => string): void => {
    db.function(name, { directOnly: true, deterministic: true }, (value: unknown) =>
      typeof value === 'string' || value instanceof Uint8Array ? mask(value) : null,
    )
  }
  register('freight_mask_partial', partial)
  if (key !== null) register('freight_mask_hash', (value) => hashed(value, key))
}
