/** The receipt of a completed export: what was written, so exactly that anyone can check it offline. */
import type { CellType } from './row-text.ts'
import type { CompressionName, FormatName, MaskName, Output } from './spec.ts'

export interface ManifestFile {
  /** The file's name as it is downloaded. */
  readonly name: string
  readonly resource: string
  readonly rows: number
  readonly bytes: number
  /** Lower-case hex, of the bytes as stored (after compression). */
  readonly sha256: string
}

/** A column in the file. To-many relations are `json`. */
export interface ManifestField {
  readonly resource: string
  readonly name: string
  readonly type: CellType
}

/** Why a written cell is not the database's own text. `docs/formats.md` explains each. */
export type ChangeCause =
  | 'invalid_utf8'
  | 'formula_guarded'
  | 'time_kept'
  | 'json_invalid'
  | 'number_as_text'
  | 'text_cut'
  | 'nul_replaced'

export interface CellChange {
  readonly resource: string
  readonly column: string
  readonly cause: ChangeCause
  readonly cells: number
}

/** A field of which callers got something else than its values. `name` has dots where it lies behind relations. */
export interface ManifestMask {
  readonly resource: string
  readonly name: string
  readonly mask: MaskName
}

/** What stands at the caller's destination. */
export interface ManifestDelivery {
  /** Without credentials: `s3://bucket/folder`, `sftp://host:22/folder`. */
  readonly place: string
  /** In the order they arrived. `verified`: by the destination's own MD5, or by its count of bytes. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly verified: 'md5' | 'size' }[]
  /** ISO 8601. */
  readonly deliveredAt: string
}

export interface Manifest {
  readonly version: 1
  readonly export: string
  /** Which claim of the job wrote the files. */
  readonly run: number
  readonly format: FormatName
  readonly compression: CompressionName | null
  readonly output: Output
  /** When the read transaction began, ISO 8601. Null where the source cannot tell. */
  readonly snapshotAt: string | null
  readonly files: readonly ManifestFile[]
  readonly fields: readonly ManifestField[]
  readonly changes: readonly CellChange[]
  /** Absent where files were not copied anywhere. */
  readonly delivery?: ManifestDelivery
  /** Absent in manifests of a Freight that knew no masks. */
  readonly masks?: readonly ManifestMask[]
}
