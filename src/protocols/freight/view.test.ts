import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import type { Job } from '../../job/job.ts'
import { ExportSchema } from './answer-schemas.ts'
import { etagOf, matchesEtag } from './etag.ts'
import { type ExportView, viewEstimate, viewExport } from './view.ts'

interface Recorded {
  readonly now: Date
  readonly queuePosition: number | null
  readonly job: Job
  readonly view: ExportView
}

const folder = join(import.meta.dirname, 'fixtures')
const names = readdirSync(folder).map((file) => file.replace('.json', ''))

/** A job as the store gives it: its times are Dates. */
function recorded(name: string): Recorded {
  const { view, ...given } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Recorded
  const dated = JSON.parse(JSON.stringify(given), (key, value) =>
    /^(now|at|.*At)$/.test(key) && key !== 'snapshotAt' && typeof value === 'string' ? new Date(value) : value,
  ) as Omit<Recorded, 'view'>
  return { ...dated, view }
}

describe('the view of an export', () => {
  it.each(names)('shows the recorded %s job exactly as recorded', (name) => {
    const { job, now, queuePosition, view } = recorded(name)
    expect(JSON.parse(JSON.stringify(viewExport(job, { now, queuePosition })))).toEqual(view)
  })

  it.each(names)('has for the recorded %s job exactly the members that the schema promises', (name) => {
    const { view } = recorded(name)
    expect([...Value.Errors(ExportSchema, view)]).toEqual([])
    expect(Object.keys(view).sort()).toEqual(Object.keys(ExportSchema.properties).sort())
  })

  it.each(names)('gives away neither storage keys nor sessions of the recorded %s job', (name) => {
    const { job, now, queuePosition } = recorded(name)
    const text = JSON.stringify(viewExport(job, { now, queuePosition }))
    for (const { key } of job.files) expect(text).not.toContain(key)
    expect(text).not.toMatch(/session|createdBy|key1|tenant_id/)
  })

  it('judges the estimated completion anew at each look, from what remains and the rate', () => {
    const { job } = recorded('in-progress')
    const running: Job = {
      ...job,
      progress: { processed: 500, total: 1_000, totalIsEstimate: false, rowsPerSecond: 100, reached: 0, at: new Date(10_000) },
    }
    const expectedAt = (now: number) => viewExport(running, { now: new Date(now), queuePosition: null }).estimated_completion_at
    expect(expectedAt(10_000)).toBe(new Date(15_000).toISOString())
    expect(expectedAt(14_000)).toBe(new Date(15_000).toISOString())
    expect(expectedAt(20_000)).toBe(new Date(20_000).toISOString())
  })
})

describe('the tag of an export', () => {
  const { job, now, queuePosition, view } = recorded('in-progress')

  it('stays while only the estimated completion moves, and changes with the export', () => {
    const tag = etagOf(view)
    expect(tag).toMatch(/^W\/"[A-Za-z0-9_-]{27}"$/)
    expect(etagOf({ ...view, estimated_completion_at: null })).toBe(tag)
    const further = { ...job, progress: { ...job.progress, processed: job.progress.processed + 1 } }
    expect(etagOf(viewExport(further, { now, queuePosition }))).not.toBe(tag)
    expect(etagOf({ ...view, queue_position: 1 })).not.toBe(tag)
  })

  it.each([
    ['W/"a"', true],
    ['"a"', true],
    ['"x", W/"a"', true],
    ['*', true],
    ['"A"', false],
    ['a', false],
    ['', false],
    [undefined, false],
  ])('If-None-Match %s matches W/"a": %s', (header, matches) => {
    expect(matchesEtag(header, 'W/"a"')).toBe(matches)
  })
})

describe('the view of an estimate', () => {
  it('shows the preview byte for byte, a byte order mark included', () => {
    const bytes = Buffer.from('\ufeffid;näme\r\n1;"a\r\nb"\r\n')
    const view = viewEstimate({
      rows: { rows: null, exact: false },
      formats: [{ format: 'csv', bytes: 10, seconds: null }],
      preview: { bytes, rows: 1, fields: [{ name: 'id', type: 'integer' }], changes: [], format: 'csv', resource: 'orders' },
      warnings: [
        { kind: 'too_many_rows', rows: 7, bound: 5, exact: false },
        { kind: 'formula_like_cells', column: 'name', cells: 2 },
      ],
    })
    expect(view).toMatchObject({ rows: null, rows_is_estimate: false, formats: { csv: { bytes: 10, seconds: null } } })
    expect(Buffer.from(view.preview?.text ?? '')).toEqual(bytes)
    expect(view.warnings).toEqual([
      { code: 'TOO_MANY_ROWS', column: null, message: expect.stringContaining('About 7 rows') },
      { code: 'FORMULA_LIKE_CELLS', column: 'name', message: expect.stringContaining('profile excel') },
    ])
  })
})
