/** Freight's Parquet format in a folder of its own, which is empty again whenever a file has ended. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Format } from '../src/formats/format.ts'
import { createParquetFormat } from '../src/formats/parquet.ts'
import type { CellType, RowChunk, Shape, ShapeCell } from '../src/job/row-text.ts'
import type { Output } from '../src/job/spec.ts'
import { RowTally } from '../src/job/tally.ts'
import { collect, MACHINE } from './contracts/row-text.ts'

export const PARQUET_OUTPUT: Output = { ...MACHINE, times: 'rfc3339' }

export interface ParquetWriter {
  readonly format: Format
  readonly tempDir: string
  encode(rows: AsyncIterable<RowChunk>, shape: Shape, tally?: RowTally, output?: Output): Promise<Buffer>
  /** Fails where a process has left its folder behind, whatever went wrong. */
  close(): void
}

export function openParquetWriter(): ParquetWriter {
  const tempDir = mkdtempSync(join(tmpdir(), 'freight-parquet-'))
  const format = createParquetFormat({ tempDir })
  return {
    format,
    tempDir,
    encode: (rows, shape, tally = new RowTally('things'), output = PARQUET_OUTPUT) =>
      collect(format.encode(rows, shape, output, tally)),
    close() {
      expect(readdirSync(tempDir)).toEqual([])
      rmSync(tempDir, { recursive: true })
    },
  }
}

/** A column with the database's own name of its type. */
export function typed(name: string, type: CellType, declaredType: string): ShapeCell {
  return { kind: 'cell', name, type, declaredType, key: false, hidden: false }
}
