import { afterEach, describe, expect, it } from 'vitest'
import { complete, type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import type { Job } from '../job/job.ts'
import { amendExport } from './amend.ts'
import { createExport } from './create.ts'
import { linkToFiles } from './link.ts'
import { type SearchRequest, searchExports } from './search.ts'

const SEARCH: SearchRequest = { resources: ['orders', 'customers'], where: { op: 'and', of: [] }, order: [], offset: 0, limit: 2 }

describe('searching exports', () => {
  let site: ExportsSite
  afterEach(() => site.close())

  it('gives a page and the number of all', async () => {
    site = await openExportsSite()
    for (let number = 0; number < 3; number += 1) await createExport(site.context, site.caller, newExport('orders'))
    await createExport(site.context, site.stranger, newExport('orders'))
    const { jobs, total } = await searchExports(site.context, site.caller, SEARCH)
    expect([jobs.length, total]).toEqual([2, 3])
    await expect(searchExports(site.context, { ...site.caller, scopes: [] }, SEARCH)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('tells neither by page nor by number of exports whose rows are not for the caller', async () => {
    site = await openExportsSite()
    const made: Job[] = []
    for (let number = 0; number < 5; number += 1) {
      made.push(await createExport(site.context, site.caller, newExport(number % 2 ? 'customers' : 'orders')))
    }
    const catalog = site.context.catalog()
    const narrowed = {
      ...site.context,
      catalog: () => ({
        ...catalog,
        narrows: () => true,
        covers: (spec: { parts: readonly { resource: string }[] }) => spec.parts[0]?.resource === 'orders',
      }),
    }
    const page = async (offset: number) => {
      const { jobs, total } = await searchExports(narrowed, site.caller, { ...SEARCH, offset })
      return [jobs.map(({ id }) => made.findIndex((job) => job.id === id)), total]
    }
    expect(await page(0)).toEqual([[4, 2], 3])
    expect(await page(2)).toEqual([[0], 3])
    expect(await page(4)).toEqual([[], 3])
    const [, hidden] = made
    await expect(amendExport(narrowed, site.caller, hidden?.id ?? '', { reference: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(hidden && linkToFiles(narrowed, site.caller, await complete(site, hidden), 1_000)).toBeNull()
  })
})
