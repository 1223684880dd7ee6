/** 5,000 random exports by a caller whose rows go by a claim: not one row of anyone else's, and none in the counts. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createCatalog } from '../../src/catalog/create-catalog.ts'
import { createRandom } from '../../src/cli/demo/random.ts'
import type { ResolvedResource } from '../../src/config/resolved.ts'
import { describeResources } from '../../src/exports/live-catalog.ts'
import type { CheckedPart } from '../../src/job/spec.ts'
import type { Source } from '../../src/sources/source.ts'
import { createSqliteSource } from '../../src/sources/sqlite/sqlite.ts'
import { callerOf } from '../shop-catalog.ts'
import { FOREIGN, makeTenants, randomPart } from './tenants.ts'

const EXPORTS = 5_000
/** Read in one snapshot: opening one for each would take most of the time. */
const AT_ONCE = 100

/** The two teams share one tenant; whose a row is, only the claim says. */
const byTeam = (table: string): ResolvedResource => ({ source: 'main', table, tenant: 'shared', scope: { tenant_id: 'team' } })
const RESOURCES: Readonly<Record<string, ResolvedResource>> = {
  customers: byTeam('customers'),
  orders: byTeam('orders'),
  line_items: byTeam('line_items'),
  skus: { source: 'main', table: 'skus', tenant: 'shared' },
}

let folder: string
let source: Source
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-scoped-'))
  const path = join(folder, 'team.db')
  makeTenants(path)
  source = createSqliteSource({ path, consistency: 'locking', tempDir: join(folder, 'tmp') })
})
afterAll(async () => {
  await source.close()
  await rm(folder, { recursive: true, force: true })
})

it('5,000 random filters, includes and sorts under a scoped caller reach no foreign row', { timeout: 120_000 }, async () => {
  const described = await describeResources(RESOURCES, {
    describe: (_source, table) => source.describe(table),
    tables: () => source.tables(),
  })
  const catalog = createCatalog({ resources: RESOURCES, ...described, retentionMs: 1 })
  const caller = callerOf('anyone', { claims: { team: ['acme'] } })
  const random = createRandom('scoped rows')
  let rows = 0
  for (let done = 0; done < EXPORTS; done += AT_ONCE) {
    const asked = Array.from({ length: AT_ONCE }, () => randomPart(random))
    const parts = asked.map((part): CheckedPart => {
      const whole = { includes: [], fields: [], filters: {}, sort: [], limit: null, resource: '', ...part }
      const spec = catalog.check({ parts: [whole], format: 'ndjson', compression: null, options: {}, dryData: false }, caller)
      const [checked] = spec.parts
      if (!checked) throw new Error('a checked request has a part')
      return checked
    })
    rows += await rowsWithoutForeign(parts, asked)
  }
  // Filters that let nothing through would prove nothing.
  expect(rows).toBeGreaterThan(50_000)
})

async function rowsWithoutForeign(parts: readonly CheckedPart[], asked: readonly unknown[]): Promise<number> {
  const snapshot = await source.open({ parts, layout: 'nested' }, AbortSignal.timeout(60_000))
  let rows = 0
  try {
    for (const index of parts.keys()) {
      let read = 0
      for await (const chunk of snapshot.rows(index)) {
        const text = Buffer.from(chunk.bytes).toString()
        expect(FOREIGN.exec(text)?.[0], JSON.stringify(asked[index])).toBeUndefined()
        read += chunk.rows
      }
      expect(await snapshot.count(index, { ms: 5_000 })).toEqual({ rows: read, exact: true })
      rows += read
    }
  } finally {
    await snapshot.close()
  }
  return rows
}
