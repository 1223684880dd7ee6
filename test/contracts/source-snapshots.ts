/** The part of the sources' contract about snapshots: what is read is one moment, and reading it can end at any time. */
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../src/sources/source.ts'
import { compare, part, readColumn, rowsOf } from './sample-part.ts'
import type { SourceUnderTest } from './source-under-test.ts'

export function describeSnapshots(made: () => SourceUnderTest): void {
  const open = (...parts: ReturnType<typeof part>[]): Promise<Snapshot> =>
    made().source.open({ parts, layout: 'nested' }, new AbortController().signal)

  describe('a snapshot', () => {
    it('does not see what is written after it was opened', async () => {
      const snapshot = await open(
        part('regions', ['id']),
        part('regions', ['name'], { where: compare('eq', 'id', 'integer', '9') }),
      )
      try {
        await made().write("insert into regions values (9, 'acme', 'Late')")
        expect(await rowsOf(snapshot, 0)).toEqual([[1], [2], [3]])
        expect(await snapshot.count(0, { ms: 5_000 })).toEqual({ rows: 3, exact: true })
        expect(await rowsOf(snapshot, 1)).toEqual([])
        await made().write('delete from regions where id = 9')
      } finally {
        await snapshot.close()
      }
    })

    it('tells when it was taken', async () => {
      const before = Date.now()
      const snapshot = await open(part('regions', ['id']))
      await snapshot.close()
      expect(
        snapshot.takenAt === null || (snapshot.takenAt.getTime() >= before && snapshot.takenAt.getTime() <= Date.now()),
      ).toBe(true)
    })

    it('counts before, during and after the rows, and the same', async () => {
      const snapshot = await open(part('numbers', ['id', 'pad']))
      try {
        expect(await snapshot.count(0, { ms: 5_000 })).toEqual({ rows: 10_000, exact: true })
        const counted = snapshot.count(0, { ms: 5_000 })
        expect((await rowsOf(snapshot)).length).toBe(10_000)
        expect(await counted).toEqual({ rows: 10_000, exact: true })
        expect(await snapshot.count(0, { ms: 5_000 })).toEqual({ rows: 10_000, exact: true })
      } finally {
        await snapshot.close()
      }
    })

    it('answers a count that was asked for beside filtered rows', async () => {
      const where = compare('lt', 'n', 'integer', '3')
      const snapshot = await open(part('numbers', ['id', 'pad'], { where }))
      try {
        const counted = snapshot.count(0, { ms: 5_000 })
        expect((await rowsOf(snapshot)).length).toBe(3_000)
        expect(await counted).toEqual({ rows: 3_000, exact: true })
      } finally {
        await snapshot.close()
      }
    })

    it('can be closed twice, and while rows are read, which then throws', async () => {
      const snapshot = await open(part('numbers', ['id', 'pad']))
      let read = 0
      const reading = (async () => {
        for await (const { rows } of snapshot.rows(0)) {
          read += rows
          await snapshot.close()
        }
      })()
      await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
      expect(read).toBeLessThan(10_000)
      await snapshot.close()
    })

    it('is aborted in the middle: rows and counts reject, and the rows do not end', async () => {
      const stop = new AbortController()
      const snapshot = await made().source.open({ parts: [part('numbers', ['id', 'pad'])], layout: 'flat' }, stop.signal)
      const reading = (async () => {
        for await (const chunk of snapshot.rows(0)) if (chunk.rows > 0) stop.abort()
      })()
      await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
      await expect(snapshot.count(0, { ms: 1_000 })).rejects.toMatchObject({ code: 'ABORTED' })
      await snapshot.close()
    })

    it('is refused by an abort that came first', async () => {
      const query = { parts: [part('regions', ['id'])], layout: 'flat' as const }
      await expect(made().source.open(query, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
      expect(await readColumn(made().source, part('regions', ['id']))).toEqual([1, 2, 3])
    })

    it('is left in the middle of its rows by a reader that has enough', async () => {
      const snapshot = await open(part('numbers', ['id', 'pad']), part('regions', ['id']))
      for await (const chunk of snapshot.rows(0)) if (chunk.rows > 0) break
      expect(await rowsOf(snapshot, 1)).toEqual([[1], [2], [3]])
      await snapshot.close()
    })

    it('names the table or column that is gone', async () => {
      await expect(open(part('gone', ['id']))).rejects.toMatchObject({
        code: 'SOURCE_CHANGED',
        message: expect.stringContaining('"gone"'),
      })
      await expect(open(part('orders', ['id', 'colour']))).rejects.toMatchObject({
        code: 'SOURCE_CHANGED',
        message: expect.stringMatching(/"orders".*"colour"/),
      })
      const filtered = part('orders', ['id'], { where: { op: 'is_null', column: 'colour' } })
      await expect(open(filtered)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
    })
  })
}
