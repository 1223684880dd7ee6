/**
 * From a configuration to the back ends it names: sources, formats, compressions, storage. Used by the two composition roots
 * and by the threads, which build their own from the same plain `Config`. Deliveries have a file of their own, `deliveries.ts`.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Compression } from './compression/compression.ts'
import { gzipCompression } from './compression/gzip.ts'
import { zstdCompression } from './compression/zstd.ts'
import type { Config, ResolvedSource } from './config/resolved.ts'
import { csvFormat } from './formats/csv.ts'
import type { Format } from './formats/format.ts'
import { jsonFormat } from './formats/json.ts'
import { ndjsonFormat } from './formats/ndjson.ts'
import { createParquetFormat } from './formats/parquet.ts'
import { xlsxFormat } from './formats/xlsx.ts'
import { FreightError } from './job/errors.ts'
import type { CompressionName, FormatName } from './job/spec.ts'
import { createCodeSource } from './sources/code/code.ts'
import { createDuckDbSource } from './sources/duckdb/duckdb.ts'
import { assertMasks } from './sources/mask.ts'
import { createPostgresSource } from './sources/postgres/postgres.ts'
import type { Source } from './sources/source.ts'
import { createSqliteSource } from './sources/sqlite/sqlite.ts'
import { createLocalStorage, writeWhole } from './storage/local.ts'
import type { Storage } from './storage/storage.ts'

const COMPRESSIONS: Readonly<Record<CompressionName, Compression>> = { gzip: gzipCompression, zstd: zstdCompression }

export interface Parts {
  /** Made at the first call for a name and kept until `close`. */
  source(name: string): Source
  format(name: FormatName): Format
  compression(name: CompressionName): Compression
  readonly storage: Storage
  /** Writes a file of the caller's own choice, whole or not at all; resolves with its size. */
  writeFile(path: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number>
  close(): Promise<void>
}

/** `maskKey`: hex, for hashed masks; absent where nobody's fields are masked (the command line). */
export type PartsConfig = Pick<Config, 'sources' | 'dataDir'> & { readonly maskKey?: string }

/** No more than a thread needs of a whole configuration. */
export function partsConfig({ sources, dataDir, maskKey }: PartsConfig): PartsConfig {
  return { sources, dataDir, ...(maskKey === undefined ? {} : { maskKey }) }
}

export function createParts(config: PartsConfig): Parts {
  const sources = new Map<string, Source>()
  const tempDir = join(config.dataDir, 'tmp')
  const formats: Readonly<Record<FormatName, Format>> = {
    csv: csvFormat,
    json: jsonFormat,
    ndjson: ndjsonFormat,
    parquet: createParquetFormat({ tempDir }),
    xlsx: xlsxFormat,
  }
  return {
    source(name) {
      const existing = sources.get(name)
      if (existing) return existing
      const resolved = config.sources[name]
      if (!resolved) {
        throw new FreightError(
          'SOURCE_CHANGED',
          `The source "${name}" of this export is no longer in the configuration; add it again or ask anew.`,
        )
      }
      const source = refusingUnmasked(createSource(resolved, tempDir, config.maskKey))
      sources.set(name, source)
      return source
    },
    format: (name) => formats[name],
    compression: (name) => COMPRESSIONS[name],
    storage: createLocalStorage(join(config.dataDir, 'files')),
    writeFile: writeWhole,
    async close() {
      await Promise.all([...sources.values()].map((source) => source.close()))
      sources.clear()
    },
  }
}

/** In one place for runs and previews: a source without masks is never asked for a masked field. */
function refusingUnmasked(source: Source): Source {
  if (source.masks === true) return source
  return {
    tables: () => source.tables(),
    describe: (table) => source.describe(table),
    estimate: (part, signal) => source.estimate(part, signal),
    async open(query, signal) {
      assertMasks(source, query)
      return source.open(query, signal)
    },
    endSession: (session) => source.endSession(session),
    close: () => source.close(),
  }
}

export function createSource(resolved: ResolvedSource, tempDir: string, maskKey?: string): Source {
  const mask = maskKey === undefined ? {} : { maskKey }
  if (/^postgres(ql)?:/.test(resolved.url)) {
    const { url, parallel } = resolved
    // On another processor text is made faster here than by the server (decisions 004 and 005).
    const csv = availableParallelism() === 1 ? 'server' : 'binary'
    return createPostgresSource({ url, parallel, csv, ...mask })
  }
  const [, kind, path] = /^(duckdb|parquet|csv):(.*)$/s.exec(resolved.url) ?? []
  if (path !== undefined && (kind === 'duckdb' || kind === 'parquet' || kind === 'csv')) {
    const { folders = [], consistency } = resolved
    return createDuckDbSource({ kind, path, folders, consistency, tempDir, ...mask })
  }
  if (resolved.url.startsWith('code:')) return createCodeSource({ path: resolved.url.slice('code:'.length), ...mask })
  return createSqliteSource({ path: resolved.url.slice('sqlite:'.length), consistency: resolved.consistency, tempDir, ...mask })
}
