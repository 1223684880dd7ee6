/** What the contract of a source asks (`test/contracts/source.ts`), as far as code has it: no tables, no snapshot, no SQL. */
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import resources, { seen } from '../../../test/code-module.ts'
import { field, part, readColumn, readRows, rowsOf } from '../../../test/contracts/sample-part.ts'
import { MASK_KEY } from '../../../test/contracts/source-masks.ts'
import type { RowChunk } from '../../job/row-text.ts'
import type { CheckedPart, OnRowError } from '../../job/spec.ts'
import type { Snapshot, Source } from '../source.ts'
import { createCodeSource } from './code.ts'

const MODULE = join(import.meta.dirname, '../../../test/code-module.ts')

let source: Source
beforeEach(() => {
  source = createCodeSource({ path: MODULE })
  Object.assign(seen, { asked: [], left: 0, given: 0 })
})
afterEach(() => source.close())

const open = (asked: CheckedPart, onRowError: OnRowError = 'fail', signal = new AbortController().signal): Promise<Snapshot> =>
  source.open({ parts: [asked], layout: 'nested', onRowError }, signal)

async function chunksOf(snapshot: Snapshot): Promise<RowChunk[]> {
  const chunks: RowChunk[] = []
  for await (const chunk of snapshot.rows(0)) chunks.push({ ...chunk, bytes: Uint8Array.from(chunk.bytes) })
  return chunks
}

const ids = (table: string, options: Partial<CheckedPart> = {}): CheckedPart =>
  part(table, ['id'], { primaryKey: [], ...options })

describe('what a module of code says of its resources', () => {
  it('is their names, fields and key', async () => {
    expect(await source.tables()).toEqual(resources.code.map(({ name }) => name).sort())
    const orders = await source.describe('orders')
    expect(orders).toMatchObject({ name: 'orders', primaryKey: ['id'], foreignKeys: [], code: { filters: ['id_gt', 'note_in'] } })
    expect(orders?.columns.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
      ['id', 'integer', false],
      ['total', 'decimal', true],
      ['at', 'timestamp', true],
      ['tags', 'json', true],
      ['photo', 'bytes', true],
      ['note', 'text', true],
    ])
    expect(await source.describe('nothing')).toBeNull()
    expect(await source.describe('__proto__')).toBeNull()
  })

  it('cannot be read where the module is not there or is no list of resources', async () => {
    for (const path of ['/nowhere/module.ts', join(import.meta.dirname, 'cells.ts')])
      await expect(createCodeSource({ path }).tables()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('is a number of rows only as an estimate', async () => {
    expect(await source.estimate(ids('orders'), new AbortController().signal)).toEqual({ rows: null, exact: false })
    const snapshot = await open(ids('orders'))
    expect(await snapshot.count(0, { ms: 999.5 })).toEqual({ rows: 3, exact: false })
    expect(await (await open(ids('endless'))).count(0, { ms: 1_000 })).toEqual({ rows: null, exact: false })
    await snapshot.close()
  })
})

describe('rows made by code', () => {
  it('arrive as they are, one by one and in batches, and no more of them than was asked for', async () => {
    const names = ['id', 'total', 'at', 'tags', 'photo', 'note']
    expect(await readRows(source, part('orders', names))).toEqual([
      [1, 1.5, '2024-02-29T12:00:00.123Z', '["a",1]', { b: '01ff' }, null],
      ['9007199254740993', null, null, null, null, 'line\n"two"'],
      [3, null, null, null, null, null],
    ])
    expect(await readColumn(source, part('orders', ['id'], { limit: 2 }))).toEqual([1, '9007199254740993'])
  })

  it('are asked for with the fields, filters, tenant and limit of the caller', async () => {
    const asked = part('orders', ['note', field('id', { hidden: true, key: true })], {
      limit: 2,
      code: { tenant: 'acme', filters: { id_gt: 10 } },
    })
    expect(await readRows(source, asked)).toEqual([
      [null, 11],
      ['line\n"two"', '9007199254741003'],
    ])
    expect(seen.asked).toEqual([{ resource: 'orders', tenant: 'acme', fields: ['note', 'id'], filters: { id_gt: 10 }, limit: 2 }])
  })

  it('of another tenant are passed over where the resource names its field', async () => {
    const scope = { op: 'eq', column: 'tenant_id', type: 'text', value: { type: 'text', text: 'acme' } } as const
    expect(await readColumn(source, ids('tenants', { scope }))).toEqual([1, 3, 5])
    expect(await readColumn(source, ids('tenants', { scope, limit: 2 }))).toEqual([1, 3])
    const granted = {
      op: 'in',
      column: 'id',
      type: 'integer',
      values: [
        { type: 'integer', text: '3' },
        { type: 'integer', text: '4' },
      ],
    } as const
    expect(await readColumn(source, ids('tenants', { scope: { op: 'and', of: [scope, granted] } }))).toEqual([3])
    const snapshot = await open(ids('tenants', { scope: { op: 'or', of: [] } }))
    expect(() => snapshot.rows(0)).toThrow('cannot be scoped by "or"')
  })

  it('that are wrong end the reading with their number, key and field, and no value', async () => {
    const snapshot = await open(part('wrong', ['id', 'note']))
    await expect(chunksOf(snapshot)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringMatching(/^Row 3 of "wrong", field "note": text was expected, not such a number\. /),
      details: { entry: { resource: 'wrong', row: 3, key: '3', column: 'note' } },
    })
  })

  it('that are wrong are left out where they may be, each told behind the rows it came after', async () => {
    const chunks = await chunksOf(await open(part('wrong', ['id', 'note']), 'skip'))
    let number = 0
    const told = chunks.flatMap(({ bytes, rows, leftOut = [] }) => {
      const lines = Buffer.from(bytes).toString().split('\n').slice(0, -1)
      expect(lines).toHaveLength(rows)
      for (const line of lines) expect(JSON.parse(line)[0]).toBe(++number)
      for (const { row } of leftOut) expect(row).toBe(++number)
      return leftOut
    })
    expect(number).toBe(18)
    expect(told.map(({ row, key, column, what }) => [row, key, column, what])).toEqual([
      [3, '3', 'note', 'text was expected, not such a number'],
      [6, null, 'id', 'it must be there and is not'],
      [9, null, null, 'a row must be an object, not a string'],
      [12, '12', 'note', 'its value could not be read'],
      [15, null, null, 'a row must be an object, not null'],
      [18, null, null, 'a row must be an object, not a list'],
    ])
  })

  it('are masked where they are to be, and a masked key is not in the errors log', async () => {
    const masking = createCodeSource({ path: MODULE, maskKey: MASK_KEY })
    const hash = (text: string) => createHmac('sha256', Buffer.from(MASK_KEY, 'hex')).update(text).digest('hex').slice(0, 32)
    const select = [field('id', { mask: 'hash' }), field('note', { mask: 'partial' }), field('photo', { mask: 'null' })]
    expect((await readRows(masking, part('orders', select))).slice(0, 2)).toEqual([
      [hash('1'), null, null],
      [hash('9007199254740993'), '***two"', null],
    ])
    const snapshot = await masking.open(
      { parts: [part('wrong', [field('id', { mask: 'partial' }), 'note'])], layout: 'flat' },
      AbortSignal.timeout(5_000),
    )
    await expect(chunksOf(snapshot)).rejects.toMatchObject({ details: { entry: { row: 3, key: null, column: 'note' } } })
    const unkeyed = await open(part('orders', [field('id', { mask: 'hash' })]))
    expect(() => unkeyed.rows(0)).toThrow('no key')
  })

  it('of code that throws end the reading; the reason stays out of the message', async () => {
    await expect(chunksOf(await open(ids('failing')))).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringMatching(/"failing" failed after 1 rows/),
      cause: expect.objectContaining({ message: 'password of the other API' }),
    })
    await expect(chunksOf(await open(ids('failing')))).rejects.toMatchObject({ message: expect.not.stringContaining('password') })
  })

  it('of code that gives no rows to read are said to be none', async () => {
    await expect(chunksOf(await open(ids('listed')))).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringContaining('write it as "async *rows"'),
    })
  })

  it('are enough when nobody reads on, whatever the code does then', async () => {
    expect(await readColumn(source, ids('clinging', { limit: 2 }))).toEqual([1, 1])
  })

  it('are gone with the resource or the field', async () => {
    await expect(open(ids('nothing'))).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('nothing'),
    })
    await expect(open(part('orders', ['gone']))).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('gone'),
    })
  })
})

describe('reading rows from code', () => {
  it('asks for no more than a chunk ahead, and tells the code when nobody reads on', async () => {
    const snapshot = await open(part('endless', ['id', 'pad']))
    for await (const chunk of snapshot.rows(0)) {
      expect(seen.given).toBe(chunk.rows)
      expect(chunk.bytes.length).toBeLessThan(2 * 1024 * 1024)
      break
    }
    await expect.poll(() => seen.left).toBe(1)
    await snapshot.close()
  })

  it('is ended by an abort, also while the code is silent or never waits', async () => {
    for (const table of ['silent', 'endless', 'slow']) {
      const stop = new AbortController()
      const snapshot = await open(ids(table), 'fail', stop.signal)
      const reading = chunksOf(snapshot)
      setTimeout(() => stop.abort(new Error(`stopped ${table}`)), 50)
      await expect(reading).rejects.toThrow(`stopped ${table}`)
      await snapshot.close()
      await snapshot.close()
    }
  })

  it('is ended by closing, and refused by an abort that came first', async () => {
    const snapshot = await open(ids('silent'))
    const reading = rowsOf(snapshot)
    setTimeout(() => snapshot.close(), 20)
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(open(ids('orders'), 'fail', AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  })

  it('hands slow rows on before there are many of them', async () => {
    const began = performance.now()
    for await (const chunk of (await open(ids('slow'))).rows(0)) {
      expect(chunk.rows).toBeLessThan(200)
      break
    }
    expect(performance.now() - began).toBeLessThan(15_000)
  })
})
