/** A database of two tenants whose rows refer to each other's, and random exports of it that try to reach across. */
import Sqlite from 'better-sqlite3'
import type { Random } from '../../src/cli/demo/random.ts'

/** Stands in every row of globex: in its texts, its keys (from 5,000,000) and its numbers (from 7,000,000). */
export const FOREIGN = /b-only|\b[57]\d{6}\b/

const OWN_ROWS = 60

export function makeTenants(path: string): void {
  const db = new Sqlite(path)
  db.pragma('synchronous = off')
  db.pragma('foreign_keys = off')
  db.exec(`create table skus (id integer primary key, code text);
    create table customers (id integer primary key, tenant_id text not null, email text, visits integer);
    create table orders (id integer primary key, tenant_id text not null, customer_id integer references customers, status text, note text,
      total integer);
    create table line_items (id integer primary key, tenant_id text not null, order_id integer references orders,
      sku_id integer references skus, name text, quantity integer)`)
  const sku = db.prepare('insert into skus values (?, ?)')
  const customer = db.prepare('insert into customers values (?, ?, ?, ?)')
  const order = db.prepare('insert into orders values (?, ?, ?, ?, ?, ?)')
  const item = db.prepare('insert into line_items values (?, ?, ?, ?, ?, ?)')
  for (let id = 1; id <= 5; id += 1) sku.run(id, `sku-${id}`)
  for (const tenant of ['globex', 'acme']) {
    const [key, number, mark] = tenant === 'acme' ? [0, 0, 'mine'] : [5_000_000, 7_000_000, 'b-only']
    for (let at = 1; at <= OWN_ROWS; at += 1) customer.run(key + at, tenant, `${mark}-${at}@example.com`, number + (at % 7))
    for (let at = 1; at <= OWN_ROWS; at += 1) {
      // One in five belongs to a customer of the other tenant, one in seven to nobody.
      const owner = at % 5 === 0 ? 5_000_000 - key + at : at % 7 === 0 ? null : key + at
      const status = `${mark}-${['new', 'paid', 'sent'][at % 3]}`
      order.run(key + at, tenant, owner, status, at % 4 === 0 ? null : `${mark} note ${at}`, number + at * 3)
    }
    for (let at = 1; at <= OWN_ROWS * 2; at += 1) {
      // Half of globex' lines hang on acme's orders.
      const parent = tenant === 'globex' && at % 2 === 0 ? (at % OWN_ROWS) + 1 : key + (at % OWN_ROWS) + 1
      item.run(key + at, tenant, parent, (at % 5) + 1, `${mark} line ${at}`, number + (at % 9))
    }
  }
  db.close()
}

/** Foreign keys and tenant columns are left out of the fields: those cells are the caller's own and may name the other tenant. */
const OFFER = {
  customers: {
    fields: ['id', 'email', 'visits', 'orders.id', 'orders.note', 'orders.line_items.name', 'orders.line_items.sku.code'],
    includes: [],
    texts: ['email', 'tenant_id', 'orders.status', 'orders.note', 'orders.tenant_id', 'orders.line_items.name'],
    numbers: ['id', 'visits', 'orders.id', 'orders.total', 'orders.line_items.quantity'],
    sorts: ['id', 'email', 'visits', 'tenant_id'],
  },
  orders: {
    fields: ['id', 'status', 'note', 'total', 'customer.id', 'customer.email', 'line_items.id', 'line_items.quantity'],
    includes: ['customer', 'line_items', 'line_items.sku'],
    texts: ['status', 'note', 'tenant_id', 'customer.email', 'customer.tenant_id', 'line_items.name', 'line_items.tenant_id'],
    numbers: ['id', 'total', 'customer_id', 'customer.visits', 'line_items.id', 'line_items.quantity'],
    sorts: ['id', 'status', 'total', 'customer.email', 'customer.visits', 'customer.tenant_id'],
  },
  line_items: {
    fields: ['id', 'name', 'quantity', 'sku.code', 'order.id', 'order.note', 'order.customer.email', 'order.customer.visits'],
    includes: ['sku'],
    texts: ['name', 'tenant_id', 'order.note', 'order.status', 'order.tenant_id', 'order.customer.email', 'sku.code'],
    numbers: ['id', 'quantity', 'order_id', 'order.total', 'order.customer.visits', 'order.customer.id'],
    sorts: ['id', 'name', 'order.total', 'order.customer.email'],
  },
} as const

const TEXT_ONE = [
  'eq',
  'eq_or_null',
  'not_eq',
  'not_eq_or_null',
  'lt',
  'gteq',
  'matches',
  'does_not_match',
  'start',
  'end',
  'cont',
  'not_cont',
]
const TEXT_LIST = ['in', 'not_in', 'in_or_null', 'not_in_or_null', 'cont_any', 'cont_all', 'start_any', 'not_eq_all', 'lt_any']
const NUMBER_ONE = ['eq', 'not_eq', 'not_eq_or_null', 'lt', 'lteq', 'gt', 'gteq']
const ANY = ['null', 'not_null', 'present', 'blank']

const TEXTS = [
  'globex',
  'acme',
  'mine',
  'b-only',
  '%',
  '%only%',
  'b-only-paid',
  'mine-paid',
  'e',
  '',
  'b-only-5@example.com',
  'line 7',
  "' or 1=1 --",
]
const NUMBERS = [1, 5, 60, 150, 5_000_000, 5_000_010, 7_000_000, 7_000_003]

/** One part of an export, as a caller would write it. */
export function randomPart(random: Random): Record<string, unknown> {
  const resource = random.pick(['customers', 'orders', 'line_items'] as const)
  const { fields, includes, sorts } = OFFER[resource]
  const some = <T>(list: readonly T[], most: number): T[] => [
    ...new Set(Array.from({ length: random.between(0, most) }, () => (list.length > 0 ? [random.pick(list)] : [])).flat()),
  ]
  const sort = some(sorts, 2).map((name) => (random.chance(0.5) ? `-${name}` : name))
  const filters = Object.fromEntries(Array.from({ length: random.between(0, 3) }, () => randomFilter(random, resource)))
  const limit = random.chance(0.2) ? random.between(1, 40) : null
  return { resource, fields: ['id', ...some(fields, 4)], includes: some(includes, 2), filters, sort, limit }
}

function randomFilter(random: Random, resource: keyof typeof OFFER): [string, unknown] {
  const { texts, numbers } = OFFER[resource]
  const isText = random.chance(0.6)
  const attribute = (): string => random.pick<string>(isText ? texts : numbers)
  const one = attribute()
  const joined = random.chance(0.4) ? `${one}_or_${attribute()}` : one
  if (random.chance(0.15)) return [`${joined}_${random.pick(ANY)}`, random.chance(0.5)]
  if (!isText) return [`${joined}_${random.pick(NUMBER_ONE)}`, random.pick(NUMBERS)]
  if (random.chance(0.6)) return [`${joined}_${random.pick(TEXT_ONE)}`, random.pick(TEXTS)]
  return [`${joined}_${random.pick(TEXT_LIST)}`, [random.pick(TEXTS), random.pick(TEXTS)]]
}
