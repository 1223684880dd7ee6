import { afterEach, describe, expect, it } from 'vitest'
import { type ExportsSite, newExport, openExportsSite } from '../../test/exports-site.ts'
import { FreightError } from '../job/errors.ts'
import type { CheckedSpec } from '../job/spec.ts'
import { estimateExport } from './estimate.ts'
import type { Preview } from './probe.ts'

/** Rows of 10 bytes in every format, up to `has`. */
function rowsOf(has: number, changes: Preview['changes'] = []) {
  return async (_spec: CheckedSpec, rows: number): Promise<Preview> => {
    const count = Math.min(rows, has)
    return { bytes: Buffer.from('123456789\n'.repeat(count)), rows: count, fields: [{ name: 'id', type: 'integer' }], changes }
  }
}

describe('estimating an export', () => {
  let site: ExportsSite
  afterEach(() => site.close())
  const estimate = (resource: string, format = 'csv') => {
    const { request } = newExport(resource)
    return estimateExport(site.context, site.caller, { ...request, format })
  }

  it('gives rows, the bytes and seconds of each format, and the first 20 rows', async () => {
    site = await openExportsSite({ probe: { count: async () => ({ rows: 600_000, exact: true }), preview: rowsOf(600_000) } })
    const answer = await estimate('orders')
    expect(answer.rows).toEqual({ rows: 600_000, exact: true })
    expect(answer.formats).toEqual([
      { format: 'csv', bytes: 6_000_000, seconds: 2 },
      { format: 'json', bytes: 6_000_000, seconds: 2 },
      { format: 'ndjson', bytes: 6_000_000, seconds: 2 },
      { format: 'xlsx', bytes: 6_000_000, seconds: 4 },
    ])
    expect(answer.preview).toMatchObject({ rows: 20, format: 'csv', resource: 'orders' })
    expect(answer.warnings).toEqual([])
    expect((await site.store.list('acme', {}, { limit: 1, before: null, now: site.clock.now })).jobs).toEqual([])
  })

  it('shows the first rows of a workbook as CSV, and warns of what the workbook changes', async () => {
    const changed = { resource: 'orders', column: 'id', cause: 'number_as_text', cells: 2 } as const
    site = await openExportsSite({
      probe: {
        count: async () => ({ rows: 30, exact: true }),
        preview: (spec, rows) => rowsOf(30, spec.format === 'xlsx' ? [changed] : [])(spec, rows),
      },
    })
    const answer = await estimate('orders', 'xlsx')
    expect(answer.preview).toMatchObject({ rows: 20, format: 'csv', resource: 'orders' })
    expect(answer.warnings).toEqual([{ kind: 'cells_changed', column: 'id', cause: 'number_as_text', cells: 2 }])
  })

  it('gives the exact bytes of an export that is smaller than the sample', async () => {
    site = await openExportsSite({ probe: { count: async () => ({ rows: 7, exact: true }), preview: rowsOf(7) } })
    expect((await estimate('orders')).formats[0]).toEqual({ format: 'csv', bytes: 70, seconds: 0.1 })
  })

  it('adds the parts of an export up', async () => {
    site = await openExportsSite({
      probe: { count: async (spec) => ({ rows: spec.parts.length * 1_000, exact: true }), preview: rowsOf(1_000) },
    })
    const { request } = newExport('orders')
    const parts = ['orders', 'customers'].flatMap((resource) => newExport(resource).request.parts)
    const answer = await estimateExport(site.context, site.caller, { ...request, parts })
    expect(answer.rows).toEqual({ rows: 2_000, exact: true })
    expect(answer.formats[0]).toMatchObject({ bytes: 20_000 })
    expect(answer.preview).toMatchObject({ resource: 'orders' })
  })

  it('samples the asked format as it was asked for, and the others as they are by themselves', async () => {
    const seen: [string, string][] = []
    site = await openExportsSite({
      probe: {
        preview: async (spec, rows) => {
          if (rows > 20) seen.push([spec.format, spec.output.delimiter])
          return rowsOf(3)(spec, rows)
        },
      },
    })
    const { request } = newExport('orders')
    await estimateExport(site.context, site.caller, { ...request, options: { delimiter: ';' } })
    expect(seen).toEqual([
      ['csv', ';'],
      ['json', ','],
      ['ndjson', ','],
      ['xlsx', ','],
    ])
  })

  it('warns of more rows than are allowed, and refuses nothing', async () => {
    site = await openExportsSite({ probe: { count: async () => ({ rows: 101, exact: false }), preview: rowsOf(101) } })
    expect((await estimate('messages')).warnings).toEqual([{ kind: 'too_many_rows', rows: 101, bound: 100, exact: false }])
  })

  it('warns of cells that are changed, and of formulas where they are not guarded', async () => {
    const changed = { resource: 'orders', column: 'note', cause: 'invalid_utf8', cells: 2 } as const
    const guarded = { resource: 'orders', column: 'name', cause: 'formula_guarded', cells: 3 } as const
    site = await openExportsSite({
      probe: {
        preview: (spec, rows) => rowsOf(30, spec.output.formulaGuard ? [changed, guarded] : [changed])(spec, rows),
      },
    })
    const change = { kind: 'cells_changed', column: 'note', cause: 'invalid_utf8', cells: 2 }
    expect((await estimate('orders')).warnings).toEqual([change, { kind: 'formula_like_cells', column: 'name', cells: 3 }])
    expect((await estimate('orders', 'ndjson')).warnings).toEqual([change])
  })

  it('leaves what the source cannot say in time as null, and says that the preview is missing', async () => {
    const slow = () => Promise.reject(new FreightError('SOURCE_UNAVAILABLE', 'The source did not answer in time.'))
    site = await openExportsSite({ probe: { count: slow, preview: slow } })
    const answer = await estimate('orders')
    expect(answer.rows).toEqual({ rows: null, exact: false })
    expect(answer.formats[0]).toEqual({ format: 'csv', bytes: null, seconds: null })
    expect(answer.preview).toBeNull()
    expect(answer.warnings).toMatchObject([{ kind: 'preview_unavailable' }])
  })

  it('refuses what the catalog refuses, and does not hide a fault of the source', async () => {
    site = await openExportsSite({ probe: { preview: () => Promise.reject(new FreightError('SOURCE_FAILED', 'no')) } })
    await expect(estimate('secrets')).rejects.toMatchObject({ code: 'RESOURCE_UNKNOWN' })
    await expect(estimate('orders')).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
  })
})
