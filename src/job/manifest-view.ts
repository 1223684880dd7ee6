/** The manifest as everyone outside of Freight reads it: in the API's answers, in the file of `freight export`, and by `freight verify`. */
import type { Manifest, ManifestDelivery } from './manifest.ts'

/** Members are named one by one, so that nothing that a manifest comes to hold is shown by accident. */
export function viewManifest(manifest: Manifest) {
  const { output } = manifest
  return {
    version: manifest.version,
    export: manifest.export,
    attempt: manifest.run,
    format: manifest.format,
    compression: manifest.compression,
    output: {
      profile: output.profile,
      delimiter: output.delimiter,
      header: output.header,
      quoting: output.quoting,
      null_text: output.nullText,
      bom: output.bom,
      line_end: output.lineEnd === '\r\n' ? 'crlf' : 'lf',
      times: output.times,
      time_zone: output.timeZone,
      formula_guard: output.formulaGuard,
      omit_blank: output.omitBlank,
      ...(output.maxCellMb === undefined ? {} : { max_cell_mb: output.maxCellMb }),
    },
    snapshot_at: manifest.snapshotAt,
    files: manifest.files.map(({ name, resource, rows, bytes, sha256 }) => ({ name, resource, rows, bytes, sha256 })),
    fields: manifest.fields.map(({ resource, name, type }) => ({ resource, name, type })),
    changes: manifest.changes.map(({ resource, column, cause, cells }) => ({ resource, column, cause, cells })),
    masks: (manifest.masks ?? []).map(({ resource, name, mask }) => ({ resource, name, mask })),
    ...(manifest.delivery ? { delivery: viewDelivery(manifest.delivery) } : {}),
  }
}

function viewDelivery({ place, files, deliveredAt }: ManifestDelivery) {
  return { place, files: files.map(({ name, bytes, verified }) => ({ name, bytes, verified })), delivered_at: deliveredAt }
}
