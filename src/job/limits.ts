/** How much a tenant may ask for. Null: no limit. */
export interface TenantQuota {
  /** Exports that run at once; more wait their turn. */
  readonly running: number | null
  /** Exports that wait to run. */
  readonly waiting: number | null
  /** Rows and bytes of completed exports on one day (UTC). */
  readonly rowsPerDay: number | null
  readonly bytesPerDay: number | null
  /** Of all its callers together, in each process. */
  readonly requestsPerMinute: number | null
}

export interface Quotas {
  /** For a tenant that has none of its own. */
  readonly usual: TenantQuota
  readonly tenants: Readonly<Record<string, TenantQuota>>
}

export function quotaOf({ usual, tenants }: Quotas, tenant: string): TenantQuota {
  return (Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined) ?? usual
}
