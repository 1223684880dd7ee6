/**
 * Parquet: rows as CSV text into DuckDB's own reader, in a process of its own, and the file out of its writer, both through pipes: neither
 * the rows nor the file ever lie on disk here.
 */
import type { Readable } from 'node:stream'
import { DuckDbFault, type Engine, spawnEngine } from '../duckdb/engine.ts'
import { INPUT_PATH, OUTPUT_PATH } from '../duckdb/messages.ts'
import { FreightError } from '../job/errors.ts'
import type { RowChunk, Shape } from '../job/row-text.ts'
import type { Output } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import type { Format } from './format.ts'
import { type ParquetColumn, parquetColumns } from './parquet-columns.ts'
import { ONLY_NULL, ParquetRow, type RowLimits } from './parquet-row.ts'
import { encodeRows } from './rows.ts'
import { isVisible } from './slots.ts'

export interface ParquetOptions {
  /** For pipes and for what DuckDB cannot keep in memory. */
  readonly tempDir: string
}

const MEGABYTE = 1_000_000
const CELL_MB = 2
/** Room for a row of several large cells. */
const ROW_MB = 16
const MEMORY_MB = 256
/** Per megabyte that a cell may have above the usual: DuckDB holds several rows at once, and more than one copy of each. */
const MEMORY_PER_CELL_MB = 24
/** Each column of a row group has its own buffers: 1,600 columns need 400 MB. */
const COLUMNS_PER_MEMORY_MB = 10
/** An eighth less processor time than with DuckDB's own 3, and files a twentieth larger. */
const ZSTD_LEVEL = 1
/** As many rows as DuckDB groups by itself, and fewer where they are heavy: a group is held in memory until it is written. */
const ROW_GROUP_ROWS = 122_880
const ROW_GROUP_BYTES = 32 * 1024 * 1024

export function createParquetFormat(options: ParquetOptions): Format {
  return {
    name: 'parquet',
    extension: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
    layout: 'flat',
    encode: (rows, shape, output, tally) => encode(options, rows, shape, output, tally),
  }
}

async function* encode(
  options: ParquetOptions,
  rows: AsyncIterable<RowChunk>,
  shape: Shape,
  output: Output,
  tally: RowTally,
): AsyncIterable<Uint8Array> {
  const columns = parquetColumns(shape)
  // A file of a split part has others' rows before its own.
  const rowsBefore = tally.rows
  const cellMb = output.maxCellMb ?? CELL_MB
  // Quotes are doubled in the text.
  const rowMb = Math.max(ROW_MB, cellMb * 2 + 1)
  const limits: RowLimits = { cellBytes: cellMb * MEGABYTE, rowBytes: rowMb * MEGABYTE }
  const memoryMb =
    MEMORY_MB + MEMORY_PER_CELL_MB * Math.max(0, cellMb - CELL_MB) + Math.floor(columns.length / COLUMNS_PER_MEMORY_MB)
  // One thread keeps the order of the rows by itself; only where DuckDB need not can row groups be bounded by their bytes.
  const held = { threads: 1, keepsOrder: false, memoryMb }
  const engine = await spawnEngine({ tempDir: options.tempDir, ...held, database: null, files: [] })
  const work = new Work()
  try {
    const records = encodeRows(rows, shape, tally, new ParquetRow(shape, columns, output, limits))
    const isOnly = shape.filter(isVisible).length === 1
    const converting = work.run(engine.output, () => convert(engine, copySql(columns, isOnly, limits), tally, rowsBefore))
    work.run(engine.output, () => feed(records, engine, converting))
    yield* engine.output as AsyncIterable<Uint8Array>
    await work.done()
  } catch (thrown) {
    throw work.fault ?? thrown
  } finally {
    await engine.end()
    await work.done().catch(() => {})
  }
}

/** What goes on beside the output, which ends with the first of its faults. */
class Work {
  fault: unknown = null
  readonly #all: Promise<void>[] = []

  /** Never rejects. */
  run(output: Readable, work: () => Promise<void>): Promise<void> {
    const done = work().catch((thrown: unknown) => {
      this.fault ??= thrown
      output.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)))
    })
    this.#all.push(done)
    return done
  }

  async done(): Promise<void> {
    await Promise.all(this.#all)
    if (this.fault !== null) throw this.fault
  }
}

/** Each chunk is taken before the next is asked for: its memory is used again. */
async function feed(records: AsyncIterable<Uint8Array>, engine: Engine, converting: Promise<void>): Promise<void> {
  for await (const bytes of records) {
    try {
      await engine.input.write(bytes)
    } catch (broken) {
      // A pipe breaks because its reader is gone: why is told there.
      await converting
      throw broken
    }
  }
  await engine.endInput()
}

async function convert(engine: Engine, sql: string, tally: RowTally, rowsBefore: number): Promise<void> {
  try {
    await engine.opened
    const written = await engine.run(sql)
    const given = tally.rows - rowsBefore
    if (written !== given) {
      throw new FreightError(
        'ROWS_INCOMPLETE',
        `"${tally.resource}": ${given} rows went into the Parquet file, which has ${written}.`,
      )
    }
    await engine.closeOutput()
  } catch (thrown) {
    throw thrown instanceof DuckDbFault ? writeFault(thrown, tally) : thrown
  }
}

function copySql(columns: readonly ParquetColumn[], isOnly: boolean, { rowBytes }: RowLimits): string {
  const read = columns.map((column, index) => `c${index}: '${column.read}'`)
  const select = columns.map((column, index) => `${converted(column, `c${index}`)} as "${column.name.replaceAll('"', '""')}"`)
  const options = [
    `columns = {${read.join(', ')}}`,
    "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n'",
    `nullstr = '${isOnly ? ONLY_NULL : ''}', allow_quoted_nulls = false`,
    // Two of the longest rows: the reader needs whole ones, and its own default is sixteen.
    `max_line_size = ${rowBytes}, buffer_size = ${rowBytes * 2}`,
  ]
  return `copy (select ${select.join(', ')} from read_csv('${INPUT_PATH}', ${options.join(', ')})) to '${OUTPUT_PATH}'
    (format parquet, compression zstd, compression_level ${ZSTD_LEVEL}, row_group_size ${ROW_GROUP_ROWS}, row_group_size_bytes ${ROW_GROUP_BYTES}, use_tmp_file false)`
}

function converted({ kind, written }: ParquetColumn, column: string): string {
  if (kind === 'bytes') return `from_hex(${column})`
  if (kind === 'list') return `cast(from_json(${column}, '["VARCHAR"]') as ${written})`
  return column
}

function writeFault(fault: DuckDbFault, { resource }: RowTally): FreightError {
  const { message } = fault
  if (/No space left/i.test(message)) {
    return new FreightError(
      'STORAGE_FULL',
      'No space is left for the temporary files of this export; free some in the data folder and start it again.',
      { cause: fault },
    )
  }
  if (/^Out of Memory/i.test(message)) {
    return new FreightError(
      'ROW_TOO_LARGE',
      `The rows of "${resource}" are too large for the memory that writing Parquet may take; leave out large fields, or choose another format.`,
      { cause: fault },
    )
  }
  return new FreightError(
    'SOURCE_FAILED',
    `"${resource}" could not be written as Parquet; choose another format. Freight's log has the details.`,
    { cause: fault },
  )
}
