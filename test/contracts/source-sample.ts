/** The rows that every source is tried on, and the relations between them. */
import { compare, join } from './sample-part.ts'

/** SQL that all of them understand. */
export const SCHEMA = `
  create table regions (id integer primary key, tenant_id text, name text);
  create table customers (id integer primary key, tenant_id text, name text, email text, region_id integer references regions (id));
  create table orders (id integer primary key, tenant_id text, customer_id integer references customers (id), status text, total numeric);
  create index orders_customer on orders (customer_id);
  create table items (id integer primary key, order_id integer references orders (id), sku text);
  create table notes (id integer primary key, order_id integer, author text, body text);
  create view big_orders as select id, customer_id, total from orders where total > 10;
  insert into regions values (1, 'acme', 'North'), (2, 'acme', 'South'), (3, 'acme', 'Empty');
  insert into customers values (1, 'acme', 'Ann', 'a@x', 1), (2, 'acme', 'Bob', null, 1), (3, 'acme', 'Cyd', '', null), (4, 'other', 'Dee', 'd@x', 2);
  insert into orders values (1, 'acme', 1, 'paid', 10.5), (2, 'acme', 1, 'open', 20), (3, 'acme', 2, 'paid', null), (4, 'acme', null, 'open', 5), (5, 'other', 4, 'paid', 99);
  insert into items values (1, 1, 'A'), (2, 1, 'B'), (3, 2, 'A'), (4, 5, 'Z');
  insert into notes values (1, 1, 'x', 'first'), (2, 1, 'y', 'second'), (3, 2, 'x', 'third');
  create table things (id integer primary key, t text, i bigint, d numeric, b boolean, day date, "at" timestamp, j text, u text);
  insert into things values
    (1, 'apple', 5, 1.5, true, '2024-02-29', '2024-02-29 12:00:00', '{"a":1,"b":[1,2]}', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d12'),
    (2, 'Apple', -7, 100, false, '2024-03-01', '2024-02-29 12:00:00.000001', '[1,"x"]', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d13'),
    (3, '', 9007199254740993, 0.1, true, '2023-12-31', '2024-03-01 00:00:00', '{"a":{"c":true}}', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d14'),
    (4, null, null, null, null, null, null, null, null),
    (5, '50%_\\', 9223372036854775807, 20, false, '1999-01-01', '1999-01-01 23:59:59.5', '7', '0190a7b0-5d3c-7e2f-9a41-3c5b8e6f7d15');
  create table "ro""w ; --" (id integer primary key, "a""b" text, "select" text, "ü 'x'" text);
  insert into "ro""w ; --" values (1, 'one', 'two', 'three');
  create table numbers (id integer primary key, n integer, pad text);
`

export const acme = compare('eq', 'tenant_id', 'text', 'acme')
export const customer = join('customers', 'customer_id', 'id')
export const region = join('regions', 'region_id', 'id')
export const ordersOfCustomer = join('orders', 'id', 'customer_id')
export const customersOfRegion = join('customers', 'id', 'region_id', { indexed: false })
export const itemsOfOrder = join('items', 'id', 'order_id', { indexed: false })
