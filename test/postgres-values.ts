/** PostgreSQL tables with values at the edges of their types, and with 10,000 random rows. */
import { serverVersion } from './postgres.ts'

const NUMERICS = [
  '0',
  '0.0',
  '-0.5',
  '1e-20',
  '9999',
  '10000',
  '10000.0001',
  '100000000',
  '-123456789012345678901234567890.000100',
  '1e300',
  '1.5e-300',
  'NaN',
  // Numerics have no infinity before 14.
  ...((await serverVersion()) < 14 ? [] : ['Infinity', '-Infinity']),
]
const INSTANTS = [
  '2000-01-01',
  '1999-12-31 23:59:59.999999',
  '2024-02-29 12:00:00.100000',
  '1900-02-28 23:59:59.000001',
  '2100-03-01',
  '0001-01-01',
  '0001-12-31 BC',
  '0044-03-15 12:00:00 BC',
  '4714-11-24 BC',
  '9999-12-31 23:59:59.999999',
  '10000-01-01',
  '1700-07-04 01:02:03.04',
  '2285-06-05 23:59:59.999999',
  '2300-01-01 00:00:00.5',
  '294276-12-31 23:59:59.999999',
  'infinity',
  '-infinity',
]
const TEXTS = [
  '',
  ' ',
  'plain',
  'a,b',
  'a;b',
  'say "hi"',
  '""',
  'a\nb',
  '\r',
  '\t',
  '\\',
  '\\.',
  '\\N',
  "it''s",
  '😀 שלום',
  '\u0001',
]
const WHOLE = ['0', '-1', '9', '10', '999999999', '1000000000', '9007199254740991', '9007199254740993', '-9007199254740992']
const ENDS = ['9223372036854775807', '-9223372036854775808', '4294967296', '-4294967297', '1000000000000000000']

const list = (values: readonly string[], type: string): string =>
  `array[${values.map((each) => `'${each}'`).join(',')}]::${type}[]`
export const VALUE_TABLES = `
  create type mood as enum ('sad', 'very "happy"');
  create domain cents as numeric(12, 2);
  create table edges (id int primary key, i8 int8, n numeric, ts timestamp, tstz timestamptz, d date, t text, v varchar, jb jsonb);
  insert into edges select at, (${list([...WHOLE, ...ENDS], 'int8')})[at], (${list(NUMERICS, 'numeric')})[at], (${list(INSTANTS, 'timestamp')})[at],
    (${list(INSTANTS, 'timestamp')})[at] at time zone 'UTC', (${list(INSTANTS, 'timestamp')})[at]::date, (${list(TEXTS, 'text')})[at],
    (${list(TEXTS, 'text')})[at], to_jsonb((${list(TEXTS, 'text')})[at]) from generate_series(1, 20) at;
  create table kinds (id int primary key, i2 int2, o oid, b bool, c char(4), nm name, t time, u uuid, j json, raw bytea, e mood, m cents, "a ""b"", c" text);
  insert into kinds values
    (1, -32768, 4294967295, true, 'ab', 'nm', '24:00:00', '0190A7B0-5D3C-7E2F-9A41-3C5B8E6F7D12', E'{"a":  1,\\n "a":2}', '\\x00ff5c0a', 'very "happy"', 12.5, ''),
    (2, 32767, 0, false, '', '', '00:00:00.000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[]', '', 'sad', -0.01, 'x'),
    (3, null, null, null, null, null, '12:34:56.5', null, null, '\\x00ff5c0a0b', null, null, null);
  create table many (id int primary key, i4 int4, i8 int8, n numeric(30, 6), wide numeric, ts timestamptz, d date, t time, u uuid, raw bytea, note text, doc jsonb);
  select setseed(0.5);
  insert into many select at, (random() * 4294967295 - 2147483648)::int8::int4, ((random() - 0.5) * 10 ^ (random() * 18))::int8, ((random() - 0.5) * 10 ^ (random() * 20))::numeric(30, 6),
    trim_scale((random() * 10 ^ (random() * 60 - 30))::numeric * 1000003), timestamp '2000-01-01' at time zone 'UTC' + (random() - 0.5) * interval '14000 years' * random() ^ 3,
    date '2000-01-01' + ((random() - 0.3) * 2000000)::int, time '00:00' + random() * interval '86399 s', md5(at::text)::uuid, decode(md5(at::text), 'hex'),
    case at % 5 when 0 then null when 1 then '' else substr('a,"b' || chr(10) || 'ü漢' || at, 1 + at % 9, at % 12) end, jsonb_build_object('a', at, 'b', '"x"')
  from generate_series(1, 10000) at;
  create table none (id int primary key, t text);
  create table wide (id int primary key, t text);
  insert into wide select at, repeat('"', at * 100000) from generate_series(1, 12) at;
  create table huge (id int primary key, n numeric);
  insert into huge select at, 10::numeric ^ (4000 * at) from generate_series(1, 30) at;
  -- Thirty times as long as text as when it is sent: the memory for it has to grow again and again.
  create table zeros (id int primary key, n numeric(1000, 1000), t timestamptz);
  insert into zeros select i, 0, now() from generate_series(1, 20000) i;
  create table casts (id int primary key, f4 float4, f8 float8, iv interval, tz timetz, ia int[], ta text[], r int4range, tr tstzrange, f8a float8[]);
  insert into casts values
    (1, 0.1, 5e-324, '1 mon -2 days +03:00:00.5', '12:00:00.5+02', '{1,NULL,3}', E'{"a,b","c\\\\"d",NULL,"","line\nbreak"}', '[1,5)', '["2024-01-01 00:00:00+00",infinity)', '{NaN,0.1}'),
    (2, 3.4028235e38, -1.7976931348623157e308, '-178000000 years', '00:00+00', '{}', '{}', 'empty', null, '{}'),
    (3, -0.0, 1e20, '0', '24:00:00-15:59', '[2:3]={1,2}', null, '(,)', '(,)', null),
    (4, null, null, null, null, null, null, null, null, null);
  create table odd (id int primary key, n numeric, f float8, ts timestamptz, t text);
  insert into odd select at, at, at, '2024-01-01', 'x' from generate_series(1, 9) at;
  update odd set n = 'NaN' where id = 3;
  update odd set f = '-Infinity' where id = 5;
  update odd set ts = 'infinity', t = E'"\n\\\\' where id = 7;
  create table addresses (id int primary key, ip inet);
  insert into addresses values (1, '10.0.0.1')`
