/** Two readers of Parquet that know nothing of Freight, nor of each other. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'

export interface ParquetFile {
  readonly names: readonly string[]
  /** DuckDB's names of the types. */
  readonly types: readonly string[]
  /** Every cell as DuckDB casts it to text. */
  readonly rows: readonly (readonly (string | null)[])[]
}

export async function readByDuckDb(file: Buffer): Promise<ParquetFile> {
  return await withFile(file, async (path) => {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    const connection = await instance.connect()
    try {
      await connection.run("set TimeZone = 'UTC'")
      const from = `read_parquet('${path}')`
      const described = await connection.runAndReadAll(`select column_name, column_type from (describe select * from ${from})`)
      const columns = described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
      // The bar is taken off again: the driver's decoder would take a byte order mark for its own.
      const texts = columns.map(({ name }) => `'|' || cast("${name.replaceAll('"', '""')}" as varchar)`)
      const read = await connection.runAndReadAll(`select ${texts.join(', ')} from ${from}`)
      const rows = read.getRows().map((row) => row.map((cell) => (cell === null ? null : String(cell).slice(1))))
      return { names: columns.map(({ name }) => name), types: columns.map(({ type }) => type), rows }
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  })
}

export async function readByHyparquet(file: Buffer): Promise<Record<string, unknown>[]> {
  const bytes = Uint8Array.from(file).buffer
  return await parquetReadObjects({
    file: { byteLength: bytes.byteLength, slice: (from: number, to?: number) => bytes.slice(from, to) },
    compressors: { ZSTD: (packed: Uint8Array) => new Uint8Array(zstdDecompressSync(packed)) },
    // Bytes that are no text stay bytes.
    utf8: false,
    // Times as their number of microseconds: a Date would cut them.
    parsers: {
      timestampFromMicroseconds: (micros: bigint) => micros,
      dateFromDays: (days: number) => days,
      stringFromBytes: (text: Uint8Array) => text && new TextDecoder('utf-8', { ignoreBOM: true }).decode(text),
    } as never,
  })
}

export interface SchemaElement {
  readonly name: string
  readonly type?: string
  readonly logical?: string
}

/** The leaves of the schema as the footer has them, and the rows it says. */
export function readFooter(file: Buffer): { rows: number; groups: number[]; codecs: string[]; schema: SchemaElement[] } {
  const metadata = parquetMetadata(Uint8Array.from(file).buffer)
  return {
    rows: Number(metadata.num_rows),
    groups: metadata.row_groups.map((group) => Number(group.num_rows)),
    codecs: [...new Set(metadata.row_groups.flatMap((group) => group.columns.map((column) => column.meta_data?.codec ?? '')))],
    schema: metadata.schema.slice(1).map(({ name, type, converted_type, logical_type }) => ({
      name,
      ...(type === undefined ? {} : { type }),
      ...(converted_type === undefined && logical_type === undefined
        ? {}
        : { logical: logical_type?.type ?? converted_type ?? '' }),
    })),
  }
}

async function withFile<Value>(file: Buffer, use: (path: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-parquet-'))
  try {
    const path = join(folder, 'file.parquet')
    await writeFile(path, file)
    return await use(path)
  } finally {
    await rm(folder, { recursive: true })
  }
}
