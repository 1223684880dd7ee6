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
  const locked = new Set<TableFacts>()
  for (const group of [plain, views]) {
    if (await isLocked(client, group)) for (const facts of group) locked.add(facts)
  }
  return all.filter((facts) => !locked.has(facts))
}

/** Right after the snapshot: planning takes the same lock. */
export async function lockByPlanning(client: pg.ClientBase, unlocked: readonly TableFacts[]): Promise<void> {
  if (unlocked.length === 0) return
  await client.query(unlocked.map((facts) => `explain select 1 from ${qualified(facts)}`).join('; '))
}

/** False where the owner of a view may read some columns only of what lies below, and before version 13 where partitions are granted to nobody. */
async function isLocked(client: pg.ClientBase, tables: readonly TableFacts[]): Promise<boolean> {
  if (tables.length === 0) return true
  try {
    const lock = `lock table ${tables.map(qualified).join(', ')} in access share mode`
    await client.query(`savepoint locking; ${lock}; release savepoint locking`)
    return true
  } catch (thrown) {
    if (sqlState(thrown) !== INSUFFICIENT_PRIVILEGE) throw thrown
    await client.query('rollback to savepoint locking; release savepoint locking')
    return false
  }
}
