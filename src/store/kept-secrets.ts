/** Secrets of Freight's own, sealed by whoever keeps them: this room never sees one in the clear. */
import type { Kysely } from 'kysely'
import type { KeptSecret } from './store.ts'
import type { Tables } from './tables.ts'

/** An id that is taken keeps what it has, so that of two processes that make one at once both go on with the same. */
export async function insertSecret(db: Kysely<Tables>, secret: KeptSecret): Promise<void> {
  const { id, purpose, sealed, createdAt } = secret
  await db
    .insertInto('kept_secrets')
    .values({ id, purpose, public: secret.public, sealed, created_at: createdAt.toISOString() })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

/** Newest first. */
export async function secretsFor(db: Kysely<Tables>, purpose: string): Promise<readonly KeptSecret[]> {
  const rows = await db
    .selectFrom('kept_secrets')
    .selectAll()
    .where('purpose', '=', purpose)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    purpose: row.purpose,
    public: row.public,
    sealed: row.sealed,
    createdAt: new Date(row.created_at),
  }))
}

export async function resealSecret(db: Kysely<Tables>, id: string, sealed: string): Promise<void> {
  await db.updateTable('kept_secrets').set({ sealed }).where('id', '=', id).execute()
}

export async function deleteSecret(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('kept_secrets').where('id', '=', id).execute()
}
