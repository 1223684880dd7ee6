/** A service starts again beside a table that cannot be read, as long as it once could; a mistake in the configuration stops it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { resolveConfig } from '../../src/config.ts'
import { startLiveCatalog } from '../../src/exports/live-catalog.ts'
import { createParts } from '../../src/parts.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-broken-source-'))
  writeFileSync(join(folder, 'orders.csv'), 'id,total\n1,2\n')
  writeFileSync(join(folder, 'items.csv'), 'id,sku\n1,A\n')
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Started {
  readonly catalog: Catalog
  /** What the log was told loudly. */
  readonly told: readonly object[]
}

async function started(url = 'csv:*.csv', table = 'orders'): Promise<Started> {
  const resources = { orders: { table, tenant: 'shared' }, items: { tenant: 'shared' } } as const
  const config = resolveConfig({ source: url, resources }, folder, { FREIGHT_DATA: folder })
  const parts = createParts(config)
  const told: object[] = []
  const probe = {
    describe: async (source: string, tables: readonly string[]) => {
      return await Promise.all(tables.map((each) => parts.source(source).describe(each)))
    },
    tables: (source: string) => parts.source(source).tables(),
  }
  try {
    const live = await startLiveCatalog(config, probe, { error: (what: object) => told.push(what), warn() {} })
    live.stop()
    return { catalog: live.current(), told }
  } finally {
    await parts.close()
  }
}

const fieldsOf = ({ catalog }: Started, name: string) =>
  catalog
    .resources(null)
    .find((resource) => resource.name === name)
    ?.fields.map((field) => field.name)

it('a file that is broken, and one that is gone, leave their resource as it was, and the log names them', async () => {
  const broken = 'id,total\n1,2,3\n'
  writeFileSync(join(folder, 'orders.csv'), broken)
  // It was never read: nobody knows what it has.
  await expect(started()).rejects.toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringContaining('"orders"') })
  writeFileSync(join(folder, 'orders.csv'), 'id,total\n1,2\n')
  expect((await started()).told).toEqual([])

  writeFileSync(join(folder, 'orders.csv'), broken)
  const beside = await started()
  expect(beside.told).toMatchObject([{ source: 'main', table: 'orders', err: { code: 'SOURCE_FAILED' } }])
  expect([fieldsOf(beside, 'orders'), fieldsOf(beside, 'items')]).toEqual([
    ['id', 'total'],
    ['id', 'sku'],
  ])

  rmSync(join(folder, 'orders.csv'))
  const without = await started()
  expect(without.told).toMatchObject([{ table: 'orders', err: { code: 'SOURCE_UNAVAILABLE' } }])
  expect(fieldsOf(without, 'orders')).toEqual(['id', 'total'])

  writeFileSync(join(folder, 'orders.csv'), 'id,total,note\n1,2,x\n')
  const whole = await started()
  expect(whole.told).toEqual([])
  expect(fieldsOf(whole, 'orders')).toEqual(['id', 'total', 'note'])
})

it('a name or an address that was never right stops the start, whatever was known of others', async () => {
  await started()
  await expect(started('csv:*.csv', 'ordrs')).rejects.toThrow('no file of a table "ordrs". Did you mean "orders"?')
  await expect(started('csv:elsewhere/*.csv')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
  await expect(started('csv:*.csv', 'items')).resolves.toBeDefined()
})

it('a start does not need what it keeps for the next one', async () => {
  rmSync(join(folder, 'remembered-tables.json'), { force: true })
  mkdirSync(join(folder, 'remembered-tables.json.new'))
  expect(fieldsOf(await started('csv:*.csv', 'items'), 'items')).toEqual(['id', 'sku'])
})
