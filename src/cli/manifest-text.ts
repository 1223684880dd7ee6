/** A manifest as it is written to a file: the names are those of the API, so `freight verify` reads either. */
import type { Manifest } from '../job/manifest.ts'

export function manifestText(manifest: Manifest): string {
  const { output } = manifest
  const wire = {
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
      line_end: output.lineEnd,
      times: output.times,
      time_zone: output.timeZone,
      formula_guard: output.formulaGuard,
      omit_blank: output.omitBlank,
    },
    snapshot_at: manifest.snapshotAt,
    files: manifest.files,
    fields: manifest.fields,
    changes: manifest.changes,
    masks: manifest.masks ?? [],
  }
  return `${JSON.stringify(wire, null, 2)}\n`
}
