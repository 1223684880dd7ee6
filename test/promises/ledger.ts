/** The database of the snapshot tests, the process that writes to it, and the check whether rows can be those of one moment. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

export const BASE_ROWS = 40_000
/** Where a moved row's key goes: behind all others. */
export const MOVED_BY = 10_000_000
const AMOUNT = 1_000

/** Each entry has exactly one line, of the same uid. `padding` makes the file larger. */
export function makeLedger(path: string, journal: 'wal' | 'delete', padding = 0): void {
  const db = new Sqlite(path)
  db.pragma(`journal_mode = ${journal}`)
  db.pragma('synchronous = off')
  db.exec(`create table entries (id integer primary key, uid text not null, place integer not null, amount integer not null, padding text);
    create table lines (id integer primary key, uid text not null, entry_id integer not null references entries (id) deferrable initially deferred);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${BASE_ROWS})
    insert into entries select i, 'base-' || i, (i * 2654435761) % 1000000000, ${AMOUNT}, hex(randomblob(${padding / 2})) from n;
    insert into lines select id, uid, id from entries;
    create unique index entries_by_uid on entries (uid);
    create index lines_by_entry on lines (entry_id)`)
  db.close()
}

interface Written {
  readonly transactions: number
  /** The longest that one transaction took, waiting included. */
  readonly longestMs: number
}

export interface Writer extends Disposable {
  /** Rejects when it has met a fault. */
  stop(): Promise<Written>
}

/** Resolves when it writes. */
export async function startWriter(path: string): Promise<Writer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'ledger-writer.ts'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  child.stdin.on('error', () => {})
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  return {
    async stop() {
      child.stdin.write('\n')
      await closed
      return JSON.parse(printed) as Written
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}

export interface Entry {
  readonly id: number
  readonly uid: string
  readonly amount: number
  readonly lines: readonly { readonly uid: string }[]
}

/** What shows that these rows were never all of the ledger at one moment; empty when they may have been. */
export function tornIn(entries: readonly Entry[]): string[] {
  const torn: string[] = []
  const sum = entries.reduce((total, { amount }) => total + amount, 0)
  if (sum !== BASE_ROWS * AMOUNT) torn.push(`the amounts add up to ${sum}`)
  if (new Set(entries.map(({ id }) => id)).size !== entries.length) torn.push('a key occurs twice')
  const uids = new Set(entries.map(({ uid }) => uid))
  if (uids.size !== entries.length) torn.push('a row occurs twice')
  if (uids.has('ghost')) torn.push('a row is there that was never committed')
  let missing = 0
  for (let number = 1; number <= BASE_ROWS; number += 1) if (!uids.has(`base-${number}`)) missing += 1
  if (missing > 0) torn.push(`${missing} rows are missing`)
  const ledger = entries.flatMap(({ uid }) => (uid.startsWith('ledger-') ? [Number(uid.slice(7))] : []))
  if (ledger.length !== ledger.reduce((most, number) => Math.max(most, number), 0)) torn.push('the ledger has a gap')
  const apart = entries.filter(({ uid, lines }) => lines.length !== 1 || lines[0]?.uid !== uid).length
  if (apart > 0) torn.push(`${apart} entries are apart from their line`)
  return torn
}
