/** A team's database with quick exports and slow ones, and the site that offers it. */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { makeSite, type Site } from '../rig.ts'

export interface WarehouseOptions {
  /** Rows of `items`; a million take one to two seconds to export on two cores. */
  readonly items?: number
  readonly concurrency?: number
  readonly drainSeconds?: number
}

/** Of each tenant in `orders`. */
export const ORDERS = 300

/** `orders` are exported at once, `items` in a second or so, and `slow` takes about a millisecond of CPU time per row. */
export async function makeWarehouse({ items = 1_000, concurrency = 2, drainSeconds = 30 }: WarehouseOptions = {}): Promise<Site> {
  const site = await makeSite(`{
    source: 'sqlite:warehouse.db',
    concurrency: ${concurrency},
    drainSeconds: ${drainSeconds},
    requestsPerMinute: 1000000,
    resources: { orders: { tenant: 'tenant_id' }, items: { tenant: 'shared' }, slow: { tenant: 'shared' } },
  }`)
  const database = new Sqlite(join(site.folder, 'warehouse.db'))
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = off')
  const numbers = (count: number): string => `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`
  database.exec(`
    create table orders (id integer primary key, tenant_id text not null, note text);
    insert into orders ${numbers(2 * ORDERS)} select i, iif(i % 2, 'acme', 'globex'), 'note, "' || i || '"' from n;
    create table items (id integer primary key, value integer not null);
    insert into items ${numbers(items)} select i, i * 7919 % 1000003 from n;
    create table numbers (id integer primary key);
    insert into numbers ${numbers(30_000)} select i from n;
    create view slow as select id,
      (with recursive w(i) as (select 1 union all select i + 1 from w where i < 20000) select max(i) + numbers.id from w) as work
      from numbers;`)
  database.close()
  return site
}

/** Runs for half a minute, unless someone ends it. */
export const LONG = { resource: 'slow' } as const

/** Runs for about a second. */
export const SECOND = { resource: 'slow', limit: 1_000 } as const
