/**
 * The offered resources: what the database says of their tables, narrowed and renamed by the configuration.
 *
 * A name in the configuration that the database does not have is CONFIG_INVALID: a column that was meant to be hidden and is
 * misspelt must stop the start, not be shown.
 */
import type { ResolvedResource } from '../config/resolved.ts'
import { FreightError } from '../job/errors.ts'
import type { CellType } from '../job/row-text.ts'
import type { MaskName, TableRef } from '../job/spec.ts'
import { didYouMean } from '../job/suggestion.ts'
import type { ForeignKey, TableDescription } from '../sources/source.ts'

/** A column that callers may see, under its public name. */
export interface Field {
  readonly name: string
  readonly column: string
  readonly type: CellType
  /** Null where the configuration says another type. */
  readonly declaredType: string | null
  readonly nullable: boolean
  readonly strict: boolean
  /** The scope that a caller needs to have it at all. */
  readonly needs: string | null
  readonly mask: MaskName | null
  /** The scope that takes the mask away. */
  readonly unmaskedWith: string | null
}

/** Rows whose column has one of the values that a claim of the caller stands for. */
export interface RowRule {
  readonly column: string
  readonly type: CellType
  readonly claim: string
}

export interface Relation {
  readonly name: string
  readonly target: Resource
  readonly kind: 'one' | 'many'
  readonly localColumns: readonly string[]
  readonly foreignColumns: readonly string[]
  readonly indexed: boolean
}

export interface Resource {
  readonly name: string
  readonly source: string
  readonly table: TableRef
  readonly kind: 'table' | 'view'
  /** By public name; hidden columns are not in it. */
  readonly fields: ReadonlyMap<string, Field>
  /** By name; filled by `relations.ts` once every resource is known. */
  readonly relations: Map<string, Relation>
  readonly primaryKey: readonly string[]
  readonly foreignKeys: readonly ForeignKey[]
  /** Every column of the table, hidden ones too. */
  readonly columns: ReadonlySet<string>
  readonly hidden: ReadonlySet<string>
  /** Null: every tenant may read every row. */
  readonly tenant: { readonly column: string; readonly type: CellType } | null
  /** All of them together, beside the tenant. */
  readonly rows: readonly RowRule[]
  /** Scopes that hold for every resource do not hold for this one. */
  readonly needsOwn: boolean
  readonly retentionMs: number
  readonly maxRows: number | null
  /** Of a resource in code: the filter keys it carries out itself; it has no others, no sort and no relations. */
  readonly code: { readonly filters: readonly string[] } | null
  /** Columns that `dry_data` leaves out wherever they are asked for. */
  readonly dryOmits: ReadonlySet<string>
}

/** A CONFIG_INVALID that names the place: `resources.orders.tenant: ...`. */
export function configInvalid(place: string, message: string): FreightError {
  return new FreightError('CONFIG_INVALID', `${place}: ${message}`)
}

const DAY_MS = 24 * 60 * 60 * 1000

export function resolveResource(name: string, config: ResolvedResource, table: TableDescription, retentionMs: number): Resource {
  const place = `resources.${name}`
  const columns = new Map(table.columns.map((column) => [column.name, column]))
  const column = (at: string, asked: string): string => {
    if (columns.has(asked)) return asked
    const kind = table.kind === 'view' ? 'view' : 'table'
    throw configInvalid(
      `${place}.${at}`,
      `the ${kind} "${table.name}" has no column "${asked}".${didYouMean(asked, columns.keys())}`,
    )
  }
  const types = new Map(Object.entries(config.types ?? {}).map(([asked, type]) => [column('types', asked), type]))
  const hidden = new Set((config.hide ?? []).map((asked) => column('hide', asked)))
  const names = new Map(Object.entries(config.rename ?? {}).map(([asked, to]) => [column('rename', asked), to]))
  const tenant = tenantColumn(config, place, (asked) => column('tenant', asked))
  const typeOf = (asked: string): CellType => types.get(asked) ?? columns.get(asked)?.type ?? 'any'

  const fields = fieldsOf(config, place, table, { hidden, names, types })
  assertPolicies(config, place, fields)
  const rows = Object.entries(config.scope ?? {}).map(([asked, claim]): RowRule => {
    return { column: column('scope', asked), type: typeOf(asked), claim }
  })
  return {
    name,
    source: config.source,
    table: { schema: table.schema, name: table.name },
    kind: table.kind,
    fields,
    relations: new Map(),
    primaryKey: table.primaryKey,
    foreignKeys: table.foreignKeys,
    columns: new Set(columns.keys()),
    hidden,
    tenant: tenant === null ? null : { column: tenant, type: typeOf(tenant) },
    rows,
    needsOwn: config.ownScope ?? false,
    retentionMs: config.retentionDays === undefined ? retentionMs : config.retentionDays * DAY_MS,
    maxRows: config.maxRows ?? null,
    code: table.code ?? null,
    dryOmits: dryOmits(config, place, table, fields),
  }
}

/** The columns that callers see, by their public names. */
function fieldsOf(
  config: ResolvedResource,
  place: string,
  table: TableDescription,
  asked: { hidden: ReadonlySet<string>; names: ReadonlyMap<string, string>; types: ReadonlyMap<string, CellType> },
): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const { name: column, type: found, declaredType: declared, nullable, strict } of table.columns) {
    if (asked.hidden.has(column)) continue
    const name = asked.names.get(column) ?? column
    const named = asked.types.get(column)
    const type = named ?? found
    // Of a type that the configuration says otherwise, the database's own name says nothing. A list is text to Freight before it is named so.
    const isDeclared = declared !== '' && (named === undefined || (named === found && named !== 'text'))
    const declaredType = isDeclared ? declared : null
    const other = fields.get(name)
    if (other)
      throw configInvalid(`${place}.rename`, `the columns "${other.column}" and "${column}" would both be called "${name}".`)
    fields.set(name, { name, column, type, declaredType, nullable, strict, ...policyOf(config, name) })
  }
  return fields
}

/** Checked here too, not only with the file: an embedding may build its resources by hand, and no rule must never mean "all". */
function tenantColumn(config: ResolvedResource, place: string, column: (asked: string) => string): string | null {
  const { tenant } = config as { readonly tenant?: unknown }
  if (typeof tenant !== 'string' || tenant === '') {
    throw configInvalid(
      `${place}.tenant`,
      "is missing: it says whose the rows are. Name the column that holds the tenant, or write 'shared' for rows that every tenant may read.",
    )
  }
  return tenant === 'shared' ? null : column(tenant)
}

function policyOf(
  { fieldScopes = {}, masks = {} }: ResolvedResource,
  name: string,
): Pick<Field, 'needs' | 'mask' | 'unmaskedWith'> {
  const needs = Object.hasOwn(fieldScopes, name) ? (fieldScopes[name] ?? null) : null
  const mask = Object.hasOwn(masks, name) ? masks[name] : undefined
  if (mask === undefined) return { needs, mask: null, unmaskedWith: null }
  return typeof mask === 'string'
    ? { needs, mask, unmaskedWith: null }
    : { needs, mask: mask.as, unmaskedWith: mask.unless ?? null }
}

/** A policy for a field that is not there protects nothing: it was meant for another. */
function assertPolicies(config: ResolvedResource, place: string, fields: ReadonlyMap<string, Field>): void {
  for (const key of ['fieldScopes', 'masks'] as const) {
    const odd = Object.keys(config[key] ?? {}).find((name) => !fields.has(name))
    if (odd === undefined) continue
    throw configInvalid(`${place}.${key}`, `there is no field "${odd}".${didYouMean(odd, fields.keys())}`)
  }
}

function dryOmits(
  config: ResolvedResource,
  place: string,
  table: TableDescription,
  fields: ReadonlyMap<string, Field>,
): ReadonlySet<string> {
  const omits = new Set([...table.primaryKey, 'created_at', 'updated_at'])
  for (const { name, column } of fields.values()) if (name === 'created_at' || name === 'updated_at') omits.add(column)
  for (const asked of config.dryDataOmits ?? []) {
    const field = fields.get(asked)
    if (!field) {
      throw configInvalid(`${place}.dryDataOmits`, `there is no field "${asked}".${didYouMean(asked, fields.keys())}`)
    }
    omits.add(field.column)
  }
  return omits
}
