/** API keys: of each only its hash. */
import type { Kysely } from 'kysely'
import { toApiKey } from './job-rows.ts'
import type { ApiKey } from './store.ts'
import type { Tables } from './tables.ts'

export async function insertKey(db: Kysely<Tables>, key: ApiKey, hash: string): Promise<void> {
  await db
    .insertInto('api_keys')
    .values({
      id: key.id,
      tenant: key.tenant,
      name: key.name,
      mode: key.mode,
      hash,
      created_at: key.createdAt.toISOString(),
      revoked_at: key.revokedAt === null ? null : key.revokedAt.toISOString(),
      scopes: JSON.stringify(key.scopes),
      claims: JSON.stringify(key.claims),
    })
    .execute()
}

export async function keyById(db: Kysely<Tables>, id: string): Promise<{ key: ApiKey; hash: string } | null> {
  const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? { key: toApiKey(row), hash: row.hash } : null
}

/** Oldest first; null for every tenant's. */
export async function allKeys(db: Kysely<Tables>, tenant: string | null): Promise<readonly ApiKey[]> {
  let query = db.selectFrom('api_keys').selectAll()
  if (tenant !== null) query = query.where('tenant', '=', tenant)
  const rows = await query.orderBy('created_at').orderBy('id').execute()
  return rows.map(toApiKey)
}

export async function revokeKey(db: Kysely<Tables>, id: string, now: Date): Promise<boolean> {
  const row = await db
    .updateTable('api_keys')
    .set((column) => ({ revoked_at: column.fn.coalesce('revoked_at', column.val(now.toISOString())) }))
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
