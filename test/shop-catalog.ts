/** A small shop as its database would be described, for tests of what may be asked of it. */

import type { Caller, Catalog } from '../src/catalog/catalog.ts'
import { type CatalogInput, createCatalog } from '../src/catalog/create-catalog.ts'
import type { ResolvedResource } from '../src/config/resolved.ts'
import { FreightError } from '../src/job/errors.ts'
import type { CellType } from '../src/job/row-text.ts'
import { EXPORT_SCOPES } from '../src/job/scopes.ts'
import type { CheckedPart, CheckedSpec, ExportRequest, OutputRequest, PartRequest } from '../src/job/spec.ts'
import type { ForeignKey, TableDescription } from '../src/sources/source.ts'

export const DAY_MS = 24 * 60 * 60 * 1000

export function table(
  name: string,
  columns: Readonly<Record<string, CellType>>,
  more: Partial<TableDescription> = {},
): TableDescription {
  const described = Object.entries(columns).map(([column, type]) => {
    return { name: column, type, declaredType: type, nullable: column !== 'id', strict: column === 'id' }
  })
  return { schema: null, name, kind: 'table', columns: described, primaryKey: ['id'], foreignKeys: [], ...more }
}

export function foreignKey(column: string, to: string, foreignColumn = 'id', indexed = true): ForeignKey {
  return { columns: [column], table: to, foreignColumns: [foreignColumn], indexed }
}

export const SHOP_TABLES: readonly TableDescription[] = [
  table('customers', {
    id: 'integer',
    tenant_id: 'text',
    email: 'text',
    name: 'text',
    password_hash: 'text',
    balance: 'decimal',
    score: 'float',
    is_vip: 'boolean',
    birthday: 'date',
    opens: 'time',
    created_at: 'timestamp',
    uid: 'uuid',
    metadata: 'json',
    avatar: 'bytes',
    extra: 'any',
  }),
  table(
    'orders',
    {
      id: 'integer',
      tenant_id: 'text',
      customer_id: 'integer',
      status: 'text',
      total: 'decimal',
      created_at: 'timestamp',
      updated_at: 'timestamp',
    },
    { foreignKeys: [foreignKey('customer_id', 'customers')] },
  ),
  table(
    'line_items',
    { id: 'integer', tenant_id: 'text', order_id: 'integer', sku_code: 'text', quantity: 'integer' },
    { foreignKeys: [foreignKey('order_id', 'orders', 'id', false), foreignKey('sku_code', 'skus', 'code')] },
  ),
  table('skus', { code: 'text', name: 'text' }, { primaryKey: ['code'] }),
  table(
    'messages',
    { id: 'integer', tenant_id: 'text', sender_id: 'integer', recipient_id: 'integer' },
    { foreignKeys: [foreignKey('sender_id', 'customers'), foreignKey('recipient_id', 'customers')] },
  ),
  table('order_totals', { day: 'date', total: 'decimal' }, { kind: 'view', primaryKey: [] }),
]

export function resource(name: string, more: Partial<ResolvedResource> = {}): ResolvedResource {
  return { source: 'main', table: name, tenant: 'tenant_id', ...more }
}

const SHOP_RESOURCES: Readonly<Record<string, ResolvedResource>> = {
  customers: resource('customers', { hide: ['password_hash'] }),
  orders: resource('orders', { sort: '-created_at, id', maxRows: 5_000, retentionDays: 1 }),
  line_items: resource('line_items'),
  skus: resource('skus', { tenant: 'shared' }),
  messages: resource('messages'),
  order_totals: resource('order_totals', { tenant: 'shared' }),
}

/** The shop with some resources said otherwise; `undefined` takes one away. */
export function shopCatalog(
  changes: Readonly<Record<string, ResolvedResource | undefined>> = {},
  tables: readonly TableDescription[] = SHOP_TABLES,
  sessionVariables: NonNullable<CatalogInput['sessionVariables']> = {},
): Catalog {
  const entries = Object.entries({ ...SHOP_RESOURCES, ...changes })
  const resources = Object.fromEntries(entries.filter((entry): entry is [string, ResolvedResource] => entry[1] !== undefined))
  const described = Object.entries(resources).flatMap(([name, config]): [string, TableDescription][] => {
    const description = tables.find((candidate) => candidate.name === config.table)
    return description ? [[name, description]] : []
  })
  const names = new Map([['main', tables.map((described) => described.name)]])
  return createCatalog({ resources, descriptions: new Map(described), tables: names, retentionMs: 7 * DAY_MS, sessionVariables })
}

export interface Asked extends Partial<PartRequest> {
  readonly format?: string
  readonly compression?: string | null
  readonly options?: OutputRequest
  readonly dryData?: boolean
}

export function request({ format = 'csv', compression = null, options = {}, dryData = false, ...part }: Asked): ExportRequest {
  const whole = { resource: 'orders', fields: [], includes: [], filters: {}, sort: [], limit: null, ...part }
  return { parts: [whole], format, compression, options, dryData }
}

/** One that may do what keys may. */
export function callerOf(tenant: string, differences: Partial<Caller> = {}): Caller {
  return { tenant, scopes: EXPORT_SCOPES, claims: {}, ...differences }
}

export function check(asked: Asked, tenant: string | null = 'acme', catalog: Catalog = shopCatalog()): CheckedSpec {
  return catalog.check(request(asked), tenant === null ? null : callerOf(tenant))
}

export function checkedPart(asked: Asked, tenant: string | null = 'acme', catalog: Catalog = shopCatalog()): CheckedPart {
  const [part] = check(asked, tenant, catalog).parts
  if (!part) throw new Error('a checked request has a part')
  return part
}

/** What a request is refused with: `CODE pointer`, and the error itself. */
export function refusalOf(work: () => unknown): FreightError & { readonly place: string } {
  try {
    work()
  } catch (error) {
    if (error instanceof FreightError) return Object.assign(error, { place: `${error.code} ${error.details.pointer}` })
    throw error
  }
  throw new Error('nothing was refused')
}
