/** Reads a manifest, or the API's answer about an export that holds one, as far as checking files needs it. */
import type { CompressionName, FormatName } from '../job/spec.ts'
import { CommandFailure } from './fault.ts'

export interface ReceiptFile {
  readonly name: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

export interface Receipt {
  readonly format: FormatName
  readonly compression: CompressionName | null
  /** CSV: whether the first record is the header. */
  readonly hasHeader: boolean
  readonly files: readonly ReceiptFile[]
}

export function readReceipt(text: string): Receipt {
  const outer = objectOf(parse(text))
  if (!outer) throw new CommandFailure('This is no manifest: it is not a JSON object.')
  if (outer.manifest === null) {
    const status = typeof outer.status === 'string' ? ` (it is ${outer.status})` : ''
    throw new CommandFailure(`This export has no manifest yet${status}; only a completed export has one.`)
  }
  const manifest = objectOf(outer.manifest) ?? outer
  if (!Array.isArray(manifest.files)) throw new CommandFailure('This is no manifest: it has no list "files".')
  return {
    format: oneOf('format', manifest.format, ['csv', 'json', 'ndjson', 'parquet', 'xlsx'] as const),
    compression: manifest.compression == null ? null : oneOf('compression', manifest.compression, ['gzip', 'zstd'] as const),
    hasHeader: objectOf(manifest.output)?.header !== false,
    files: manifest.files.map(readFile),
  }
}

function readFile(entry: unknown, index: number): ReceiptFile {
  const { name, rows, bytes, sha256 } = objectOf(entry) ?? {}
  const isWhole =
    typeof name === 'string' && isCount(rows) && isCount(bytes) && typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)
  if (!isWhole) throw new CommandFailure(`This manifest is damaged: files[${index}] needs name, rows, bytes and sha256.`)
  return { name, rows, bytes, sha256: sha256.toLowerCase() }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandFailure(`This is no manifest: ${(error as Error).message}`, { cause: error })
  }
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function oneOf<Name extends string>(what: string, value: unknown, known: readonly Name[]): Name {
  const found = known.find((name) => name === value)
  if (!found)
    throw new CommandFailure(`This manifest's ${what} is ${JSON.stringify(value)}; this Freight knows ${known.join(', ')}.`)
  return found
}
