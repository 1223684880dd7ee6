/** A shop: customers, skus with prices, orders with line items. Money is integer cents, or decimal text where a column says so. */
import { createRandom, type Random, timestamp } from './random.ts'
import {
  ACME_SHARE,
  type Cell,
  DAY_MS,
  type Insert,
  LAST_DAY_MS,
  type SampleCounts,
  type SampleSubject,
  type Tenant,
} from './tables.ts'
import { CITIES, COLOURS, COMPANIES, FIRST_NAMES, LAST_NAMES, NOTES, PRODUCTS, SENTENCES, STREETS } from './words.ts'

const CURRENCIES = ['EUR', 'GBP', 'USD'] as const
const EXCHANGE_RATES = { EUR: '1.000000', GBP: '0.853400', USD: '1.084150' } as const
const ORDER_STATUSES = [
  'draft',
  'pending',
  'placed',
  'approved',
  'approved',
  'fulfilled',
  'fulfilled',
  'fulfilled',
  'cancelled',
] as const
const EDGE_INTEGERS = [9223372036854775807n, -9223372036854775808n, 9007199254740993n, 0n] as const

/** Ids of a table's rows by their owner, known before the rows are made, so that references stay inside a tenant. */
interface Owned {
  readonly tenants: readonly Tenant[]
  readonly ids: Readonly<Record<Tenant, readonly number[]>>
}

function share(random: Random, count: number): Owned {
  const tenants = Array.from({ length: count }, (): Tenant => (random.chance(ACME_SHARE) ? 'acme' : 'globex'))
  const ids: Record<Tenant, number[]> = { acme: [], globex: [] }
  tenants.forEach((tenant, index) => {
    ids[tenant].push(index + 1)
  })
  return { tenants, ids }
}

export const shopData: SampleSubject = {
  tables: [
    {
      name: 'customers',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, external_id INTEGER, email TEXT NOT NULL, first_name TEXT, last_name TEXT,
        company TEXT, phone TEXT, country_code TEXT, city TEXT, credit_limit TEXT, accepts_marketing BOOLEAN NOT NULL, note TEXT,
        password_hash TEXT, metadata JSON, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
      indexes: ['tenant_id', 'email'],
    },
    {
      name: 'skus',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, code TEXT NOT NULL UNIQUE, barcode INTEGER, name TEXT NOT NULL, description TEXT,
        weight_kg REAL, do_not_ship BOOLEAN NOT NULL, tags JSON, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
    },
    {
      name: 'prices',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, sku_id INTEGER NOT NULL REFERENCES skus (id), currency_code TEXT NOT NULL,
        amount_cents INTEGER NOT NULL, compare_at_amount_cents INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
      indexes: ['sku_id'],
    },
    {
      // customer_id has no index on purpose: a relation must also work where a team forgot one.
      name: 'orders',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, number TEXT NOT NULL, customer_id INTEGER REFERENCES customers (id),
        status TEXT NOT NULL, payment_status TEXT, currency_code TEXT NOT NULL, subtotal_amount_cents INTEGER NOT NULL,
        tax_amount_cents INTEGER NOT NULL, total_amount_cents INTEGER NOT NULL, discount_rate REAL, exchange_rate TEXT, coupon_code TEXT,
        gateway_reference INTEGER, shipping_address JSON, note TEXT, metadata JSON, placed_at TEXT, created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL`,
      indexes: ['tenant_id'],
    },
    {
      // order_id has an index, sku_id has none.
      name: 'line_items',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, order_id INTEGER NOT NULL REFERENCES orders (id),
        sku_id INTEGER REFERENCES skus (id), name TEXT NOT NULL, quantity INTEGER NOT NULL, unit_amount_cents INTEGER NOT NULL,
        total_amount_cents INTEGER NOT NULL, options JSON, created_at TEXT NOT NULL, updated_at TEXT NOT NULL`,
      indexes: ['order_id'],
    },
  ],
  fill(counts, insert) {
    const owners = createRandom('owners')
    const customers = share(owners, counts.customers)
    const skus = share(owners, counts.skus)
    fillCustomers(customers, insert)
    fillSkus(skus, insert)
    fillOrders(counts, customers, skus, insert)
  },
}

/** The first rows hold the ends of the 64-bit range and the first integer that a double cannot hold. */
function int64(random: Random, index: number): bigint {
  return (index < 40 ? EDGE_INTEGERS[index % 10] : undefined) ?? random.int64()
}

/** A text as real columns have it: mostly there, now and then NULL or empty. */
export function sparse(random: Random, text: () => string, absent: number): string | null {
  const dice = random.next()
  if (dice < absent) return null
  return dice < absent * 1.5 ? '' : text()
}

function fillCustomers(customers: Owned, insert: Insert): void {
  const random = createRandom('customers')
  customers.tenants.forEach((tenant, index) => {
    const id = index + 1
    const first = random.pick(FIRST_NAMES)
    const [country, city] = random.pick(CITIES)
    const createdMs = LAST_DAY_MS - random.between(1, 1_400 * DAY_MS)
    const updatedMs = Math.min(LAST_DAY_MS, createdMs + random.between(0, 90 * DAY_MS))
    const metadata = random.chance(0.4)
      ? null
      : `{"segment":"${random.pick(['new', 'loyal', 'vip'])}","score":${random.between(0, 1000) / 10}}`
    insert('customers', [
      id,
      tenant,
      int64(random, index),
      `customer${id}@${random.pick(['example.com', 'example.org', 'mail.example'])}`,
      first,
      random.pick(LAST_NAMES),
      sparse(random, () => random.pick(COMPANIES), 0.4),
      sparse(random, () => `+${random.between(20, 99)} ${random.digits(9)}`, 0.1),
      country,
      city,
      random.chance(0.2) ? null : `${random.between(0, 90) * 500}.${random.pick(['00', '50', '10'])}`,
      random.chance(0.5) ? 1 : 0,
      sparse(random, () => random.pick(NOTES), 0.6),
      `scrypt$${random.digits(24)}`,
      metadata,
      timestamp(createdMs, random.between(0, 999)),
      timestamp(updatedMs, random.between(0, 999)),
    ])
  })
}

function fillSkus(skus: Owned, insert: Insert): void {
  const random = createRandom('skus')
  let priceId = 0
  skus.tenants.forEach((tenant, index) => {
    const id = index + 1
    const product = random.pick(PRODUCTS)
    const colour = random.pick(COLOURS)
    const createdMs = LAST_DAY_MS - random.between(1, 1_500 * DAY_MS)
    const stamps = [
      timestamp(createdMs, random.between(0, 999)),
      timestamp(createdMs + random.between(0, DAY_MS), random.between(0, 999)),
    ]
    insert('skus', [
      id,
      tenant,
      `${product.slice(0, 3).toUpperCase()}-${String(id).padStart(5, '0')}`,
      random.chance(0.1) ? null : BigInt(`${random.between(4, 5)}${random.digits(12)}`),
      `${product}, ${colour}`,
      sparse(random, () => `${random.pick(SENTENCES)} ${random.pick(SENTENCES)}`, 0.2),
      random.chance(0.1) ? null : random.between(1, 4000) / 1000,
      random.chance(0.1) ? 1 : 0,
      random.chance(0.3) ? null : JSON.stringify([colour, random.pick(['summer', 'winter', 'sale "25 %"'])]),
      ...stamps,
    ])
    for (const currency of CURRENCIES) {
      const amount = random.between(200, 12_000)
      insert('prices', [
        ++priceId,
        tenant,
        id,
        currency,
        amount,
        random.chance(0.7) ? null : amount + random.between(100, 900),
        ...stamps,
      ])
    }
  })
}

function fillOrders(counts: SampleCounts, customers: Owned, skus: Owned, insert: Insert): void {
  const random = createRandom('orders')
  let lineId = 0
  for (let id = 1; id <= counts.orders; id++) {
    const tenant: Tenant = random.chance(ACME_SHARE) ? 'acme' : 'globex'
    // Orders come in as time goes by: about three years of them.
    const createdMs = LAST_DAY_MS - Math.floor(((counts.orders - id + random.next()) / counts.orders) * 1_095 * DAY_MS)
    const created = timestamp(createdMs, random.between(0, 999))
    const lines: Cell[][] = []
    let subtotal = 0
    for (let line = 0; line < 2 + (id % 2); line++) {
      const quantity = random.between(1, 5)
      const unit = random.between(200, 12_000)
      subtotal += quantity * unit
      const colour = random.pick(COLOURS)
      const options = random.chance(0.8)
        ? null
        : `{"colour":"${colour}","engraving":"${random.pick(['To Zoë, with ♥', '', 'عيد ميلاد سعيد'])}"}`
      const sku = random.chance(0.02) ? null : random.pick(skus.ids[tenant])
      lines.push([
        ++lineId,
        tenant,
        id,
        sku,
        `${random.pick(PRODUCTS)}, ${colour}`,
        quantity,
        unit,
        quantity * unit,
        options,
        created,
        created,
      ])
    }
    insert('orders', order(random, { id, tenant, createdMs, created, subtotal, customer: random.pick(customers.ids[tenant]) }))
    for (const line of lines) insert('line_items', line)
  }
}

interface OrderFacts {
  readonly id: number
  readonly tenant: Tenant
  readonly createdMs: number
  readonly created: string
  readonly subtotal: number
  readonly customer: number
}

function order(random: Random, { id, tenant, createdMs, created, subtotal, customer }: OrderFacts): Cell[] {
  const status = random.pick(ORDER_STATUSES)
  const currency = random.pick(CURRENCIES)
  const tax = Math.round(subtotal * 0.19)
  const placedMs = createdMs + random.between(1_000, 3_600_000)
  const [country, city, postcode] = random.pick(CITIES)
  const address = `{"line_1":"${random.pick(STREETS)} ${random.between(1, 200)}","city":"${city}","postcode":"${postcode}","country":"${country}"}`
  return [
    id,
    tenant,
    `#${1_000_000 + id}`,
    random.chance(0.02) ? null : customer,
    status,
    status === 'draft' ? null : random.pick(['unpaid', 'authorized', 'paid', 'paid', 'refunded']),
    currency,
    subtotal,
    tax,
    subtotal + tax,
    random.chance(0.7) ? null : random.between(1, 40) / 100,
    EXCHANGE_RATES[currency],
    sparse(random, () => random.pick(['WELCOME10', 'SUMMER-25', "O'CLOCK", '50%OFF']), 0.6),
    int64(random, id - 1),
    random.chance(0.05) ? null : address,
    sparse(random, () => random.pick(NOTES), 0.5),
    random.chance(0.6)
      ? null
      : `{"channel":"${random.pick(['web', 'app', 'pos'])}","tags":["a,b","\\"q\\""],"big":12345678901234567890}`,
    status === 'draft' ? null : timestamp(placedMs, random.between(0, 999)),
    created,
    timestamp(Math.min(LAST_DAY_MS, placedMs + random.between(0, 30 * DAY_MS)), random.between(0, 999)),
  ]
}
