/** The benchmark's table in PostgreSQL: 13 columns of an order, the same rows on every machine. */
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../test/postgres-server.ts'

const NAMES = ['Ann "Q" Lee', 'Bob, Jr.', 'Zoë Ünal', 'Mäkinen', '李小龍', "O'Brien"]

/** A server of its own with `rows` orders in its database `postgres`, cached as one that is in use would be. */
export async function serveOrders(rows: number): Promise<PostgresServer & { readonly database: string }> {
  const server = await startPostgres({ settings: ['shared_buffers=1GB', 'max_wal_size=4GB', 'autovacuum=off'] })
  const database = `${server.url}postgres`
  const client = new pg.Client(database)
  await client.connect()
  await client.query(`create table orders (
    id bigint primary key, ref uuid not null, email text not null, name text not null, note text, company text,
    total numeric(12, 2) not null, tax numeric(12, 2) not null, quantity int not null, paid bool not null, metadata jsonb,
    created_at timestamptz not null, updated_at timestamptz not null)`)
  const names = NAMES.map((name) => client.escapeLiteral(name)).join(', ')
  await client.query(`insert into orders
    select id, (h || '-7c3e-4abc-8def-' || lpad(id::text, 12, '0'))::uuid, 'user' || m % 100000 || '@example.com', (array[${names}])[m % 6 + 1],
      case when id % 7 = 0 then null when id % 11 = 0 then ''
        else 'Please ring the bell' || case when id % 5 = 0 then E'\\nand wait' else '' end || ', floor ' || m % 40 || ', "left" \\ ' || h end,
      case when id % 3 <> 0 then 'Company, ' || m % 1000 || ' Inc' end,
      m % 1000000 / 100.0, m % 190000 / 100.0, m % 9 + 1, m % 2 = 1,
      jsonb_build_object('source', 'web', 'tags', jsonb_build_array('a', m % 9), 'note', jsonb_build_object('gift', null, 'text', 'say "hi"')),
      timestamptz '2022-01-01 00:00:00Z' + (m % 100000000) * interval '1.000001 s', timestamptz '2022-01-01 00:00:00Z' + (m % 100000000) * interval '1.000001 s'
    from (select id, id * 2654435761 % 4294967296 as m, lpad(to_hex(id * 2654435761 % 4294967296), 8, '0') as h from generate_series(1, ${rows}::bigint) id) g`)
  await client.query('vacuum analyze orders')
  await client.query('checkpoint')
  await client.end()
  return { ...server, database }
}
