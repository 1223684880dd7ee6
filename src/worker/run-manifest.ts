/** The manifest of a run, from what it read and wrote. */
import type { Manifest, ManifestField, ManifestMask } from '../job/manifest.ts'
import type { Shape } from '../job/row-text.ts'
import type { Selected } from '../job/spec.ts'
import type { RowTally } from '../job/tally.ts'
import type { Snapshot } from '../sources/source.ts'
import type { RunInput, WrittenFile } from './run.ts'

export function manifestOf(
  input: RunInput,
  snapshot: Snapshot,
  files: readonly WrittenFile[],
  tallies: readonly RowTally[],
): Manifest {
  const { spec } = input
  return {
    version: 1,
    export: input.exportId,
    run: input.run,
    format: spec.format,
    compression: spec.compression,
    output: spec.output,
    snapshotAt: snapshot.takenAt?.toISOString() ?? null,
    files: files.map(({ name, resource, rows, bytes, sha256 }) => ({ name, resource, rows, bytes, sha256 })),
    fields: spec.parts.flatMap((part, index) => fieldsOf(part.resource, snapshot.shape(index), '')),
    changes: tallies.flatMap((tally) => tally.changes),
    masks: spec.parts.flatMap((part) => masksOf(part.resource, part.select, '')),
  }
}

function masksOf(resource: string, select: readonly Selected[], prefix: string): ManifestMask[] {
  return select.flatMap((node): ManifestMask[] => {
    const name = prefix + node.name
    if (node.kind !== 'field') return masksOf(resource, node.select, `${name}.`)
    return node.mask === undefined ? [] : [{ resource, name, mask: node.mask }]
  })
}

/** The columns as a reader of the file finds them; a to-many relation is one column of JSON. */
export function fieldsOf(resource: string, shape: Shape, prefix: string): ManifestField[] {
  return shape.flatMap((cell): ManifestField[] => {
    const name = prefix + cell.name
    if (cell.kind === 'one') return fieldsOf(resource, cell.cells, `${name}.`)
    if (cell.kind === 'many') return [{ resource, name, type: 'json' }]
    return cell.hidden ? [] : [{ resource, name, type: cell.type }]
  })
}
