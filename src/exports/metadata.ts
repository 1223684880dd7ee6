/** What a caller may keep with an export. */
import { FreightError } from '../job/errors.ts'

const METADATA_BYTES = 16 * 1024
const METADATA_DEPTH = 5
const METADATA_KEYS = 50

/** Throws VALIDATION_FAILED naming `pointer`. */
export function checkMetadata(metadata: Readonly<Record<string, unknown>>, pointer: string): void {
  const refuse = (message: string) => new FreightError('VALIDATION_FAILED', message, { details: { pointer } })
  if (Object.keys(metadata).length > METADATA_KEYS) throw refuse(`Metadata takes at most ${METADATA_KEYS} keys.`)
  const bytes = Buffer.byteLength(JSON.stringify(metadata))
  if (bytes > METADATA_BYTES) throw refuse(`Metadata takes at most ${METADATA_BYTES} bytes as JSON; this has ${bytes}.`)
  if (depthOf(metadata) > METADATA_DEPTH) throw refuse(`Metadata is nested at most ${METADATA_DEPTH} levels deep.`)
}

/** Levels of objects and arrays; the size and the parser bound them, so this may recurse. */
export function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}
