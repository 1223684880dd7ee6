/** What a source that masks must put in the place of values: called by the test of each, on its own database. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MaskName } from '../../src/job/spec.ts'
import type { Source } from '../../src/sources/source.ts'
import { field, join, many, one, part, type Row, readRows } from './sample-part.ts'

export const MASK_KEY = '0f'.repeat(32)

export interface MaskedDatabase {
  /** Made with MASK_KEY. */
  readonly source: Source
  discard(): Promise<void>
}

/** A table `people` (id, email text, phone text, pin bigint, photo bytes, boss_id to people.id) and a view `all_people` of all its columns. */
export const PEOPLE = [
  { id: 1, email: 'ada@example.com', phone: '+49 30 1234567', pin: '9007199254740993', photo: '00ff', boss: null },
  { id: 2, email: '@nobody', phone: 'short', pin: '42', photo: null, boss: 1 },
  { id: 3, email: null, phone: '', pin: null, photo: null, boss: 1 },
  { id: 4, email: 'é😀x@ü.example', phone: '日本語日本語日本', pin: '-1', photo: '', boss: 2 },
] as const

export function describeMasks(name: string, make: () => Promise<MaskedDatabase>): void {
  describe(`${name} puts masks in the place of values`, () => {
    let database: MaskedDatabase
    beforeAll(async () => {
      database = await make()
    })
    afterAll(() => database.discard())

    const masked = (column: string, mask: MaskName) => field(column, { mask, type: mask === 'null' ? 'any' : 'text' })
    const rowsWith = (select: ReturnType<typeof field>[], table = 'people'): Promise<Row[]> =>
      readRows(database.source, part(table, ['id', ...select], { kind: table === 'people' ? 'table' : 'view' }), 'flat')
    const hash = (value: string | Buffer): string =>
      createHmac('sha256', Buffer.from(MASK_KEY, 'hex')).update(value).digest('hex').slice(0, 32)

    it('null: nothing, whatever the value', async () => {
      const rows = await rowsWith([masked('email', 'null'), masked('pin', 'null'), masked('photo', 'null')])
      expect(rows).toEqual(PEOPLE.map(({ id }) => [id, null, null, null]))
    })

    it('hash: the keyed hash of the text, of numbers to the last digit, and of bytes as they are; NULL stays NULL', async () => {
      const rows = await rowsWith([masked('email', 'hash'), masked('pin', 'hash'), masked('photo', 'hash')])
      expect(rows).toEqual(
        PEOPLE.map(({ id, email, pin, photo }) => [
          id,
          email === null ? null : hash(email),
          pin === null ? null : hash(pin),
          photo === null ? null : hash(Buffer.from(photo, 'hex')),
        ]),
      )
    })

    it('partial: first letter and domain of an address, the last four of other long text, nothing of short', async () => {
      const rows = await rowsWith([masked('email', 'partial'), masked('phone', 'partial'), masked('photo', 'partial')])
      expect(rows).toEqual([
        [1, 'a***@example.com', '***4567', '***'],
        [2, '***', '***', null],
        [3, null, '***', null],
        [4, 'é***@ü.example', '***日本語日'.replace('日本語日', '本語日本'), '***'],
      ])
    })

    it('also in the nested layout, behind relations of both kinds, and from a view', async () => {
      const boss = join('people', 'boss_id', 'id')
      const staff = join('people', 'id', 'boss_id', { indexed: false })
      const select = ['id', one('boss', boss, [masked('email', 'partial')]), many('staff', staff, [masked('email', 'hash')])]
      const [ada, nobody] = await readRows(
        database.source,
        part('people', select, { sort: [{ path: [], column: 'id', descending: false }] }),
        'nested',
      )
      expect(JSON.stringify(ada)).not.toContain('@nobody')
      expect(ada?.at(-1)).toBe(JSON.stringify([[hash('@nobody')], [null]]))
      expect(nobody).toContain('a***@example.com')
      const viewed = await rowsWith([masked('email', 'partial'), masked('pin', 'hash')], 'all_people')
      expect(viewed[0]).toEqual([1, 'a***@example.com', hash('9007199254740993')])
    })
  })
}
