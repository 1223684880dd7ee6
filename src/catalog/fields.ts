/**
 * From `fields` and `includes` to the tree of what is selected.
 *
 * A field is a name, a dotted name through relations, `*` or `relation.*`; no fields are all of the main resource's. An include
 * adds every field of each relation on its path. Order is the order of asking, and what is asked twice comes once.
 */
import type { CellType } from '../job/row-text.ts'
import type { MaskName, PartRequest, Selected } from '../job/spec.ts'
import type { Branch, Leaf } from './branch.ts'
import { type DryData, keepAll, leaveOut } from './dry-data.ts'
import { firstStep, follow, joinOf, MAX_STEPS, prefixed, type Scope } from './paths.ts'
import { member, quoted, refusal } from './refusal.ts'
import type { Field, Relation, Resource } from './resources.ts'

const MAX_FIELDS = 1_000
const MAX_INCLUDES = 100
/** SQLite takes 2,000 columns in a result (SQLITE_MAX_COLUMN); the rest is left for what a source adds. */
const MAX_CELLS = 1_900
/** SQLite joins at most 64 tables; sorting through relations needs some of them. */
const MAX_RELATIONS = 30

interface Tree {
  readonly root: Branch
  cells: number
  relations: number
}

export function selectFields(resource: Resource, part: PartRequest, at: string, scope: Scope, dryData: boolean): Selected[] {
  assertLength(part.fields, MAX_FIELDS, `${at}/fields`, 'fields')
  assertLength(part.includes, MAX_INCLUDES, `${at}/includes`, 'includes')
  const tree: Tree = { root: emptyBranch(resource, null, 0), cells: 0, relations: 0 }
  if (part.fields.length === 0) addAll(tree, tree.root, `${at}/fields`)
  part.fields.forEach((field, index) => {
    addField(tree, field, member(`${at}/fields`, index), part.titles?.[index] ?? null)
  })
  part.includes.forEach((path, index) => {
    addInclude(tree, path, member(`${at}/includes`, index))
  })
  const select = selected(tree.root, scope, dryData ? leaveOut : keepAll)
  // A table may have no columns at all; its rows are counted, and empty.
  if (select.length === 0 && resource.columns.size > 0) {
    const why = dryData ? 'dry_data leaves out every field that was asked for.' : `"${resource.name}" has no fields to export.`
    throw refusal('VALIDATION_FAILED', dryData ? '/dry_data' : `${at}/fields`, why)
  }
  return [...hiddenKey(resource, select), ...select]
}

function assertLength(list: readonly string[], most: number, at: string, what: string): void {
  if (list.length > most)
    throw refusal('VALIDATION_FAILED', at, `${what}: at most ${most} entries are taken, not ${list.length}.`)
}

function emptyBranch(resource: Resource, via: Relation | null, position: number): Branch {
  return { resource, via, position, leaves: new Map(), branches: new Map(), order: [] }
}

function addField(tree: Tree, path: string, at: string, title: string | null): void {
  if (path === '*') {
    addAll(tree, tree.root, at)
    return
  }
  const found = follow(tree.root.resource, path)
  assertDepth(found.steps.length, path, at)
  if (found.field) {
    addLeaf(tree, addSteps(tree, found.steps, at), found.field, at, title)
  } else if (found.rest === '*') {
    addAll(tree, addSteps(tree, found.steps, at), at)
  } else {
    throw unknownField(path, found.resource, found.rest, found.steps, at)
  }
}

function unknownField(path: string, resource: Resource, rest: string, steps: readonly Relation[], at: string): Error {
  const allowed = prefixed(steps, [
    ...resource.fields.keys(),
    '*',
    ...Array.from(resource.relations.keys(), (name) => `${name}.*`),
  ])
  const isRelation = firstStep(resource, rest)?.rest === null
  const why = isRelation
    ? `"${path}" is a relation; write "${path}.*", name a field of it, or put it in includes.`
    : `"${resource.name}" has no field ${quoted(rest)}.`
  return refusal('FIELD_UNKNOWN', at, why, { asked: path, allowed: isRelation ? [`${path}.*`] : allowed })
}

function addInclude(tree: Tree, path: string, at: string): void {
  let branch = tree.root
  let rest: string | null = path
  const steps: Relation[] = []
  while (rest !== null) {
    const step = firstStep(branch.resource, rest)
    if (!step) {
      const allowed = prefixed(steps, branch.resource.relations.keys())
      throw refusal('RELATION_UNKNOWN', at, `"${branch.resource.name}" has no relation ${quoted(rest)}.`, {
        asked: path,
        allowed,
      })
    }
    steps.push(step.relation)
    assertDepth(steps.length, path, at)
    branch = addSteps(tree, steps, at)
    addAll(tree, branch, at)
    rest = step.rest
  }
}

function assertDepth(steps: number, path: string, at: string): void {
  if (steps <= MAX_STEPS) return
  throw refusal(
    'INCLUDE_TOO_DEEP',
    at,
    `${quoted(path)} goes through more than ${MAX_STEPS} relations; ${MAX_STEPS} is the most.`,
  )
}

function addSteps(tree: Tree, steps: readonly Relation[], at: string): Branch {
  let branch = tree.root
  for (const relation of steps) {
    let next = branch.branches.get(relation.name)
    if (!next) {
      tree.relations += 1
      if (tree.relations > MAX_RELATIONS) {
        throw refusal(
          'TOO_MANY_COLUMNS',
          at,
          `At most ${MAX_RELATIONS} relations go into one export; ask for fewer, or for several exports.`,
        )
      }
      countCell(tree, at)
      next = emptyBranch(relation.target, relation, tree.cells)
      branch.branches.set(relation.name, next)
      branch.order.push(relation.name)
    }
    branch = next
  }
  return branch
}

function addAll(tree: Tree, branch: Branch, at: string): void {
  for (const field of branch.resource.fields.values()) addLeaf(tree, branch, field, at)
}

function addLeaf(tree: Tree, branch: Branch, field: Field, at: string, title: string | null = null): void {
  // No name holds a blank, so a field with a title is never taken for another field or a relation.
  const key = title === null ? field.name : `${field.name} ${title}`
  if (branch.leaves.has(key)) return
  countCell(tree, at)
  branch.leaves.set(key, { field, position: tree.cells, title })
  branch.order.push(key)
}

function countCell(tree: Tree, at: string): void {
  tree.cells += 1
  if (tree.cells <= MAX_CELLS) return
  throw refusal(
    'TOO_MANY_COLUMNS',
    at,
    `More than ${MAX_CELLS} columns are asked for, counting those of related resources; ask for fewer.`,
  )
}

/** A relation of which nothing is left is not there at all. */
function selected(branch: Branch, scope: Scope, isKept: DryData): Selected[] {
  return branch.order.flatMap((name): Selected[] => {
    const leaf = branch.leaves.get(name)
    if (leaf) return isKept(branch, leaf.field.column) ? [selectedField(branch, leaf)] : []
    const child = branch.branches.get(name)
    if (!child?.via) return []
    const select = selected(child, scope, isKept)
    if (select.length === 0) return []
    const join = joinOf(child.via, scope)
    if (child.via.kind === 'one') return [{ kind: 'one', name, join, select }]
    return [{ kind: 'many', name, join, select, position: child.position }]
  })
}

function selectedField(branch: Branch, { field, position, title }: Leaf): Selected {
  const { name, column, type, declaredType, strict, mask } = field
  const key = branch.via === null && branch.resource.primaryKey.includes(column)
  const titled = title === null ? {} : { title }
  const node = { kind: 'field', name, column, key, hidden: false, position, ...titled } as const
  const declared = declaredType === null ? {} : { declaredType }
  return mask === null ? { ...node, type, ...declared, strict } : { ...node, type: maskedType(type, mask), strict: false, mask }
}

/** Of what stands in the values' place. */
export function maskedType(type: CellType, mask: MaskName | null): CellType {
  return mask === 'hash' || mask === 'partial' ? 'text' : type
}

/** The primary key, where it was not asked for, so that the errors log can name a row; never a column that is hidden or masked. */
function hiddenKey(resource: Resource, select: readonly Selected[]): Selected[] {
  return [...resource.fields.values()]
    .filter(({ column, mask }) => resource.primaryKey.includes(column) && mask === null)
    .filter(({ name }) => !select.some((node) => node.kind === 'field' && node.name === name))
    .map(({ name, column, type, strict }) => ({
      kind: 'field',
      name,
      column,
      type,
      key: true,
      hidden: true,
      strict,
      position: 0,
    }))
}
