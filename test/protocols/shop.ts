/** A small shop behind /api/exports on a real server, with an export that takes long. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { makeSite, type Site } from '../rig.ts'

/** Orders of tenant acme. */
export const ORDERS = 300

/** `slow` takes about a millisecond of CPU time per row. `limits`: text of more settings. */
export async function makeShop(limits = ''): Promise<Site> {
  const site = await makeSite(`{
    source: 'sqlite:shop.db',
    resources: {
      orders: { tenant: 'tenant_id', hide: ['tenant_id'], types: { created_at: 'timestamp' } },
      customers: { tenant: 'tenant_id', hide: ['tenant_id'] },
      line_items: { tenant: 'tenant_id', hide: ['tenant_id'] },
      slow: { tenant: 'shared' },
      secrets: { tenant: 'shared' },
    },
    concurrency: 1,
    linkMinutes: 60,
    requestsPerMinute: 1000000,
    protocols: {
      'api-exports': {
        resources: { orders: 'orders', customers: 'customers', line_items: 'line_items', imports: 'slow' },
        ${limits}
      },
    },
  }`)
  const database = new Database(join(site.folder, 'shop.db'))
  database.pragma('journal_mode = wal')
  const numbers = (count: number): string => `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`
  database.exec(`
    create table customers (id integer primary key, tenant_id text not null, email text);
    create table orders (id integer primary key, tenant_id text not null, number text, status text, note text,
      customer_id integer references customers (id), created_at text);
    create table line_items (id integer primary key, tenant_id text not null, order_id integer references orders (id), quantity integer);
    create index line_items_by_order on line_items (order_id);
    insert into customers ${numbers(20)} select i, iif(i > 10, 'globex', 'acme'), 'c' || i || '@example.com' from n;
    insert into orders ${numbers(2 * ORDERS)} select i, iif(i > ${ORDERS}, 'globex', 'acme'), '#' || i, iif(i % 2, 'placed', 'draft'),
      iif(i % 3, null, ''), i % 10 + iif(i > ${ORDERS}, 11, 1), '2026-01-01 00:00:00.123456' from n;
    insert into line_items ${numbers(12_000)} select i, 'acme', i % ${ORDERS} + 1, i % 5 from n;
    create table numbers (id integer primary key);
    insert into numbers ${numbers(30_000)} select i from n;
    create view slow as select id,
      (with recursive w(i) as (select 1 union all select i + 1 from w where i < 20000) select max(i) + numbers.id from w) as work
      from numbers;
    create table secrets (id integer primary key);
    insert into secrets values (1);`)
  database.close()
  return site
}
