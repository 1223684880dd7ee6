/** When two requests are the same one. */
import { createHash } from 'node:crypto'
import type { IdempotencyRecord } from '../store/store.ts'

/** As the common providers keep it: long enough for a day's retries. */
const MEMORY_MS = 24 * 60 * 60 * 1000

/** `body` is the parsed request: how it was spelled (key order, blanks, `1` or `1.0`) makes no difference, its values do. */
export function idempotencyRecord(key: string, body: unknown, now: Date): IdempotencyRecord {
  const fingerprint = createHash('sha256').update(canonicalJson(body)).digest('hex')
  return { key, fingerprint, expiresAt: new Date(now.getTime() + MEMORY_MS) }
}

/** JSON with every object's keys in order. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
