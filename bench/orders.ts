/** The benchmark's table: 13 columns of an order, the same rows on every machine. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'

const NAMES = ['Ann "Q" Lee', 'Bob, Jr.', 'Zoë Ünal', 'Mäkinen', '李小龍', "O'Brien"]

/** `path` with `rows` orders; made once. */
export function makeOrders(path: string, rows: number): void {
  if (existsSync(path)) return
  const aside = `${path}.making`
  // Of a benchmark that was ended while it made its table.
  for (const left of [aside, `${aside}-wal`, `${aside}-shm`]) rmSync(left, { force: true })
  const db = new Database(aside)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.exec(`create table orders (
    id integer primary key, ref text not null, email text not null, name text not null, note text, company text,
    total numeric not null, tax numeric not null, quantity integer not null, paid boolean not null, metadata json,
    created_at timestamp not null, updated_at timestamp not null)`)
  const insert = db.prepare('insert into orders values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  db.exec('begin')
  for (let id = 1; id <= rows; id += 1) insert.run(...order(id))
  db.exec('commit')
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  renameSync(aside, path)
}

function order(id: number): (string | number | null)[] {
  const mixed = Math.imul(id, 2654435761) >>> 0
  const hex = mixed.toString(16).padStart(8, '0')
  const note =
    id % 7 === 0
      ? null
      : id % 11 === 0
        ? ''
        : `Please ring the bell${id % 5 === 0 ? '\nand wait' : ''}, floor ${mixed % 40}, "left" \\ ${hex}`
  const seconds = new Date(1_640_995_200_000 + (mixed % 100_000_000) * 1000).toISOString().slice(0, 19)
  const micros = String(mixed % 1_000_000).padStart(6, '0')
  return [
    id,
    `${hex}-7c3e-4abc-8def-${String(id).padStart(12, '0')}`,
    `user${mixed % 100_000}@example.com`,
    NAMES[mixed % NAMES.length] ?? '',
    note,
    id % 3 === 0 ? null : `Company, ${mixed % 1000} Inc`,
    (mixed % 1_000_000) / 100,
    (mixed % 190_000) / 100,
    (mixed % 9) + 1,
    mixed % 2,
    JSON.stringify({ source: 'web', tags: ['a', mixed % 9], note: { gift: null, text: 'say "hi"' } }),
    `${seconds}.${micros}Z`,
    `${seconds}.${micros}Z`,
  ]
}
