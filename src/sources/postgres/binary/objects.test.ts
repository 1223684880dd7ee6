/** JSON and NDJSON made of COPY BINARY are what the formats make of COPY text, to the byte and to the last warning. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MACHINE } from '../../../../test/contracts/row-text.ts'
import { compare, field, join, many, one, part } from '../../../../test/contracts/sample-part.ts'
import { createDatabase, type TestDatabase } from '../../../../test/postgres.ts'
import { bothWays, columnsOf, type Made } from '../../../../test/postgres-both-ways.ts'
import { VALUE_TABLES } from '../../../../test/postgres-values.ts'
import type { CheckedPart, Output, Selected } from '../../../job/spec.ts'

const RFC_3339: Output = { ...MACHINE, times: 'rfc3339' }
const LARGEST_FIRST = [{ path: [], column: 'id', descending: true }]
const HIDDEN = field('id', { hidden: true, key: true, type: 'integer' })

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase(`${VALUE_TABLES};
    create table owners (id int primary key, name text, edge_id int references edges (id), kind_id int references kinds (id));
    insert into owners values (1, E'a "b"\n', 1, null), (2, null, 13, 2);
    create table pets (id int primary key, owner_id int references owners (id), odd_id int references odd (id));
    insert into pets values (1, 1, 4), (2, null, null), (3, 2, 3)`)
})

afterAll(() => database.drop())

const columns = (table: string): Promise<Selected[]> => columnsOf(database.url, table)

function made(asked: CheckedPart, output: Output = RFC_3339, format: 'json' | 'ndjson' = 'ndjson'): Promise<[Made, Made]> {
  return bothWays(database.url, asked, { format, output })
}

describe('objects of COPY BINARY', () => {
  it.each([
    ['edges', ['written', 'json']],
    ['kinds', ['written']],
    ['casts', ['written']],
    ['odd', ['written', 'json']],
    ['many', ['written', 'json']],
    ['none', []],
    ['huge', ['written']],
  ])('of %s are those of COPY text, with the same warnings', async (table, forms) => {
    const asked = part(table, [HIDDEN, ...(await columns(table))])
    for (const format of ['ndjson', 'json'] as const) {
      for (const output of [RFC_3339, MACHINE]) {
        const [ours, theirs] = await made(asked, output, format)
        expect(ours.text).toBe(theirs.text)
        expect(ours.tally).toEqual(theirs.tally)
        if (output === RFC_3339) expect(ours.forms).toEqual(forms)
      }
    }
  })

  it('of every row at the edges are those of COPY text when it is read alone', async () => {
    const forms = new Set<string>()
    for (let id = 1; id <= 20; id += 1) {
      const where = compare('eq', 'id', 'integer', String(id))
      const [ours, theirs] = await made(part('edges', [HIDDEN, ...(await columns('edges'))], { where }))
      expect(ours).toEqual({ ...theirs, forms: ours.forms })
      for (const form of ours.forms) forms.add(form)
    }
    expect([...forms]).toEqual(['written', 'json'])
  })

  it('of values that are much longer as text are those of COPY text', async () => {
    const [ours, theirs] = await made(part('zeros', [HIDDEN, ...(await columns('zeros'))]))
    expect(ours.text === theirs.text).toBe(true)
    expect(ours.forms).toEqual(['written'])
  })

  it('of rows larger than a chunk are those of COPY text', async () => {
    const [ours, theirs] = await made(part('wide', [HIDDEN, ...(await columns('wide'))], { sort: LARGEST_FIRST, limit: 2 }))
    expect(ours.text === theirs.text).toBe(true)
    expect(ours.forms).toEqual(['written'])
  })

  it('hold to-one relations, absent ones and those within others as well', async () => {
    const owner = one('owner', join('owners', 'owner_id', 'id'), [
      ...(await columns('owners')),
      one('edge', join('edges', 'edge_id', 'id'), await columns('edges')),
      one('kind', join('kinds', 'kind_id', 'id'), await columns('kinds')),
    ])
    const odd = one('odd "one"', join('odd', 'odd_id', 'id'), await columns('odd'))
    const [ours, theirs] = await made(part('pets', [HIDDEN, owner, field('id', { type: 'integer' }), odd]))
    expect(ours).toEqual({ ...theirs, forms: ['written', 'json'] })
    expect(JSON.parse(ours.text.split('\n')[1] ?? '')).toEqual({ owner: null, id: 2, 'odd "one"': null })
  })

  it('hold masks as text', async () => {
    const masked = field('jb', { mask: 'partial', type: 'text' })
    const [ours, theirs] = await made(part('edges', [field('id', { type: 'integer' }), masked]))
    expect(ours).toEqual({ ...theirs, forms: ['written'] })
  })

  it('are left to the format for other types, to-many relations, blanks left out and other time zones', async () => {
    const id = field('id', { type: 'integer' })
    const formsOf = async (asked: CheckedPart, more: Partial<Output> = {}): Promise<readonly string[]> => {
      const [ours, theirs] = await made(asked, { ...RFC_3339, ...more })
      expect(ours.text).toBe(theirs.text)
      return ours.forms
    }
    expect(await formsOf(part('addresses', await columns('addresses')))).toEqual(['copy'])
    expect(await formsOf(part('kinds', [id, field('c', { type: 'json' })]))).toEqual(['copy'])
    expect(await formsOf(part('owners', [id, many('pets', join('pets', 'id', 'owner_id'), [id])]))).toEqual(['copy'])
    expect(await formsOf(part('owners', [id, field('name', { type: 'text' })]), { omitBlank: true })).toEqual(['copy'])
    expect(await formsOf(part('odd', await columns('odd')), { timeZone: 'Europe/Paris' })).toEqual(['copy'])
  })
})
