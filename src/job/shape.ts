/** From what is selected to how its cells lie in the row text: shared by the source that writes them and the format that reads them. */
import type { Layout, Shape, ShapeCell } from './row-text.ts'
import type { Selected } from './spec.ts'

/**
 * A leaf of the flat layout: the to-one relations on the way to it, and itself. `path` is empty for the main table's own
 * columns.
 */
export interface FlatLeaf {
  readonly path: readonly Extract<Selected, { kind: 'one' }>[]
  readonly leaf: Exclude<Selected, { kind: 'one' }>
}

/** The leaves in the order they were asked for, hidden ones first, to-one relations opened. */
export function flatLeaves(select: readonly Selected[]): FlatLeaf[] {
  const leaves: FlatLeaf[] = []
  const walk = (nodes: readonly Selected[], path: FlatLeaf['path']): void => {
    for (const node of nodes) {
      if (node.kind === 'one') walk(node.select, [...path, node])
      else leaves.push({ path, leaf: node })
    }
  }
  walk(select, [])
  const rank = ({ leaf }: FlatLeaf): number => (leaf.kind === 'field' && leaf.hidden ? -1 : leaf.position)
  return leaves.sort((a, b) => rank(a) - rank(b))
}

/** The nested layout: the tree as it stands. Elements of a to-many relation are always nested. */
function nestedShape(select: readonly Selected[]): Shape {
  return select.map((node): ShapeCell => {
    if (node.kind === 'field') return cellOf(node, node.name)
    return { kind: node.kind, name: node.name, cells: nestedShape(node.select) }
  })
}

function flatShape(select: readonly Selected[]): Shape {
  return flatLeaves(select).map(({ path, leaf }): ShapeCell => {
    const name = [...path.map((step) => step.name), leaf.name].join('.')
    if (leaf.kind === 'many') return { kind: 'many', name, cells: nestedShape(leaf.select) }
    return cellOf(leaf, leaf.title ?? name)
  })
}

function cellOf({ type, declaredType, key, hidden }: Extract<Selected, { kind: 'field' }>, name: string): ShapeCell {
  return { kind: 'cell', name, type, ...(declaredType === undefined ? {} : { declaredType }), key, hidden }
}

export function shapeOf(select: readonly Selected[], layout: Layout): Shape {
  return layout === 'flat' ? flatShape(select) : nestedShape(select)
}
