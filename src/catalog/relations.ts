/**
 * Relations between offered resources of one source: from foreign keys, in both directions, then as the configuration adds,
 * replaces or hides them.
 *
 * Names are made from the database alone, so they are the same at every start: to one, the column without `_id` (else the
 * other resource in the singular); to many, the other resource's name. Names that clash, with each other or with a field, all
 * get `_by_<column>` behind them.
 */
import type { RelationConfig } from '../config/freight-config.ts'
import type { ResolvedResource } from '../config/resolved.ts'
import { didYouMean } from '../job/suggestion.ts'
import type { ForeignKey } from '../sources/source.ts'
import { configInvalid, type Relation, type Resource } from './resources.ts'
import { singular } from './singular.ts'

type Candidate = Omit<Relation, 'indexed'> & { readonly keyColumns: readonly string[] }

/** Fills `relations` of every resource. */
export function relateResources(
  resources: ReadonlyMap<string, Resource>,
  configs: Readonly<Record<string, ResolvedResource>>,
): void {
  for (const resource of resources.values()) {
    const related = named(resource, foreignKeyRelations(resource, resources))
    const config = Object.entries(configs[resource.name]?.relations ?? {})
    for (const [name, relation] of config) {
      const place = `resources.${resource.name}.relations.${name}`
      if (relation === false) {
        if (!related.has(name)) {
          const known = didYouMean(name, related.keys())
          throw configInvalid(place, `there is no relation of this name to hide.${known}`)
        }
        continue
      }
      const added = configured(name, relation, resource, resources, place)
      // The same relation under another name: the configured name stands instead of the one made from the database.
      for (const [other, found] of related) if (!isConfigured(config, other) && sameJoin(found, added)) related.delete(other)
      related.set(name, added)
    }
    for (const [name, relation] of config) if (relation === false) related.delete(name)
    for (const [name, relation] of related) resource.relations.set(name, relation)
  }
}

function isConfigured(config: readonly (readonly [string, unknown])[], name: string): boolean {
  return config.some(([configuredName]) => configuredName === name)
}

function foreignKeyRelations(resource: Resource, resources: ReadonlyMap<string, Resource>): Candidate[] {
  const candidates: Candidate[] = []
  const add = (candidate: Candidate): void => {
    if (!candidates.some((other) => other.kind === candidate.kind && sameJoin(other, candidate))) candidates.push(candidate)
  }
  for (const other of resources.values()) {
    if (other.source !== resource.source) continue
    for (const key of resource.foreignKeys) {
      if (!refersTo(key, other) || isHidden(resource, key)) continue
      const join = { target: other, localColumns: key.columns, foreignColumns: key.foreignColumns, keyColumns: key.columns }
      add({ name: toOneName(resource, other, key.columns), kind: 'one', ...join })
    }
    for (const key of other.foreignKeys) {
      if (!refersTo(key, resource) || isHidden(other, key)) continue
      const join = { target: other, localColumns: key.foreignColumns, foreignColumns: key.columns, keyColumns: key.columns }
      add({ name: other.name, kind: 'many', ...join })
    }
  }
  return candidates
}

/** A key that names columns the table no longer has (SQLite lets it stand) makes no relation. */
function refersTo(key: ForeignKey, target: Resource): boolean {
  return (
    key.table === target.table.name &&
    (key.schema ?? null) === target.table.schema &&
    key.columns.length === key.foreignColumns.length &&
    key.foreignColumns.every((column) => target.columns.has(column))
  )
}

function sameJoin(a: Omit<Candidate, 'keyColumns'>, b: Omit<Candidate, 'keyColumns'>): boolean {
  const same = (one: readonly string[], two: readonly string[]): boolean => one.join('\0') === two.join('\0')
  return (
    a.target === b.target && same(a.localColumns, b.localColumns) && same(a.foreignColumns, b.foreignColumns) && a.kind === b.kind
  )
}

/** In a key of several columns the tenant's says nothing: `(tenant_id, customer_id)` leads to `customer`. */
function tellingColumns(resource: Resource, columns: readonly string[]): readonly string[] {
  const telling = columns.filter((column) => column !== resource.tenant?.column)
  return telling.length > 0 ? telling : columns
}

/** What a hidden column refers to would give the column away. */
function isHidden(resource: Resource, key: ForeignKey): boolean {
  return tellingColumns(resource, key.columns).some((column) => resource.hidden.has(column))
}

function toOneName(resource: Resource, target: Resource, columns: readonly string[]): string {
  const [column, ...more] = tellingColumns(resource, columns)
  const own = more.length === 0 ? /^(.+)_id$/.exec(column ?? '')?.[1] : undefined
  return own ?? singular(target.name)
}

function named(resource: Resource, candidates: readonly Candidate[]): Map<string, Relation> {
  const wanted = Map.groupBy(candidates, ({ name }) => name)
  const relations = new Map<string, Relation>()
  for (const candidate of candidates) {
    const { keyColumns, ...relation } = candidate
    const clashes = (wanted.get(candidate.name)?.length ?? 0) > 1 || shadowsField(resource, candidate.name)
    const base = clashes ? `${candidate.name}_by_${keyColumns.join('_')}` : candidate.name
    // A table that refers to itself by a column of its own name, or that is offered twice, clashes again.
    let name = base
    for (let count = 2; relations.has(name) || shadowsField(resource, name); count += 1) name = `${base}_${count}`
    relations.set(name, { ...relation, name, indexed: isIndexed(relation.target, relation.foreignColumns) })
  }
  return relations
}

/** Fields and relations share the members of one JSON object, and `customer.email` the columns of one CSV. */
function shadowsField(resource: Resource, name: string): boolean {
  if (resource.fields.has(name)) return true
  return [...resource.fields.keys()].some((field) => field.startsWith(`${name}.`))
}

function configured(
  name: string,
  config: RelationConfig,
  resource: Resource,
  resources: ReadonlyMap<string, Resource>,
  place: string,
): Relation {
  const target = resources.get(config.resource)
  if (!target) {
    throw configInvalid(
      `${place}.resource`,
      `there is no resource "${config.resource}".${didYouMean(config.resource, resources.keys())}`,
    )
  }
  if (target.source !== resource.source) {
    throw configInvalid(`${place}.resource`, `"${config.resource}" is of another source; relations stay within one.`)
  }
  const { columns, foreignColumns } = config
  if (columns.length === 0 || columns.length !== foreignColumns.length) {
    throw configInvalid(place, 'columns and foreignColumns must pair up, one or more of each.')
  }
  assertColumns(resource, columns, `${place}.columns`)
  assertColumns(target, foreignColumns, `${place}.foreignColumns`)
  if (shadowsField(resource, name)) {
    throw configInvalid(place, `"${name}" is the name of a field already; choose another, or rename the field.`)
  }
  const indexed = isIndexed(target, foreignColumns)
  return { name, target, kind: config.kind, localColumns: columns, foreignColumns, indexed }
}

function assertColumns(resource: Resource, columns: readonly string[], place: string): void {
  for (const column of columns) {
    if (resource.columns.has(column)) continue
    const known = didYouMean(column, resource.columns)
    throw configInvalid(place, `the table "${resource.table.name}" has no column "${column}".${known}`)
  }
}

/** Whether a look-up by these columns is quick: they begin the primary key, or a foreign key with an index. */
function isIndexed(target: Resource, columns: readonly string[]): boolean {
  const asked = new Set(columns)
  if (target.primaryKey.length >= asked.size && target.primaryKey.slice(0, asked.size).every((column) => asked.has(column)))
    return true
  return target.foreignKeys.some(
    (key) => key.indexed && key.columns.length === asked.size && key.columns.every((c) => asked.has(c)),
  )
}
