/**
 * What an export reads is locked until its end, in the mode that reading takes anyway, or the snapshot would not stay true: TRUNCATE, REFRESH
 * MATERIALIZED VIEW and some forms of ALTER TABLE by others show in snapshots that were taken before them
 * (https://www.postgresql.org/docs/current/mvcc-caveats.html). A part that is read hours later would be empty, and so would its count.
 */
import type pg from 'pg'
import { type KnownTables, qualified, type TableFacts } from './facts.ts'
import { INSUFFICIENT_PRIVILEGE, sqlState } from './fault.ts'

/** Before the snapshot: tables with their partitions, views with the tables that they read. Resolves with what LOCK does not take. */
export async function lockTables(client: pg.ClientBase, tables: KnownTables): Promise<TableFacts[]> {
  const all = tables.all()
  // LOCK asks for SELECT on the whole of a table.
  const plain = all.filter(({ relkind, readable }) => readable && (relkind === 'r' || relkind === 'p'))
  const views = all.filter(({ relkind, readable }) => readable && relkind === 'v')
  if (plain.length > 0) await client.query(lockText(plain))
  const locked = new Set([...plain, ...((await isLocked(client, views)) ? views : [])])
  return all.filter((facts) => !locked.has(facts))
}

/** Right after the snapshot: planning takes the same lock. */
export async function lockByPlanning(client: pg.ClientBase, unlocked: readonly TableFacts[]): Promise<void> {
  if (unlocked.length === 0) return
  await client.query(unlocked.map((facts) => `explain select 1 from ${qualified(facts)}`).join('; '))
}

function lockText(tables: readonly TableFacts[]): string {
  return `lock table ${tables.map(qualified).join(', ')} in access share mode`
}

/** False where the owner of a view may read some columns only of what lies below. */
async function isLocked(client: pg.ClientBase, views: readonly TableFacts[]): Promise<boolean> {
  if (views.length === 0) return true
  try {
    await client.query(`savepoint locking; ${lockText(views)}; release savepoint locking`)
    return true
  } catch (thrown) {
    if (sqlState(thrown) !== INSUFFICIENT_PRIVILEGE) throw thrown
    await client.query('rollback to savepoint locking; release savepoint locking')
    return false
  }
}
