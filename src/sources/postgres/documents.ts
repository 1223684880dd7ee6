/**
 * Arrays, composites and types with a cast to `json` (`hstore`): text to Freight, as COPY writes them. In JSON they are the documents that
 * `row_to_json` makes of them, be it a row's or a related row's.
 */
import type { Layout } from '../../job/row-text.ts'
import type { Selected, TableRef } from '../../job/spec.ts'
import type { Query } from '../source.ts'
import type { KnownTables } from './facts.ts'

type Field = Extract<Selected, { kind: 'field' }>

/** The query with the type `json` for every such field that stands in JSON. */
export function withDocuments(tables: KnownTables, query: Query): Query {
  const parts = query.parts.map((part) => ({ ...part, select: typed(tables, part.table, part.select, query.layout) }))
  return { ...query, parts }
}

function typed(tables: KnownTables, table: TableRef, select: readonly Selected[], layout: Layout): readonly Selected[] {
  return select.map((node) => {
    if (node.kind === 'one') return { ...node, select: typed(tables, node.join.table, node.select, layout) }
    // Elements are JSON in every format.
    if (node.kind === 'many') return { ...node, select: typed(tables, node.join.table, node.select, 'nested') }
    // A field that the configuration calls text has no declared type.
    const isAsFound = node.type === 'text' && node.declaredType !== undefined && !node.mask
    const isDocument = layout === 'nested' && isAsFound && tables.column(table, node.column).isStructured
    return isDocument ? { ...node, type: 'json' } : node
  })
}

/** Whether `to_json` is to be selected for the column. */
export function isDocument(tables: KnownTables, table: TableRef, { column, type, mask }: Field): boolean {
  return type === 'json' && !mask && tables.column(table, column).isStructured
}
