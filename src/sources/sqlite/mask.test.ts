import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { field, part, readRows } from '../../../test/contracts/sample-part.ts'
import { describeMasks, MASK_KEY, PEOPLE } from '../../../test/contracts/source-masks.ts'
import { hashed, hmacPads, partial } from '../mask.ts'
import { createSqliteSource } from './sqlite.ts'

async function makePeople(maskKey: string | null = MASK_KEY) {
  const folder = await mkdtemp(join(tmpdir(), 'freight-masks-'))
  const path = join(folder, 'people.db')
  const db = new Sqlite(path)
  db.exec(`create table people (id integer primary key, email text, phone text, pin integer, photo blob, boss_id integer);
    create view all_people as select * from people`)
  const insert = db.prepare('insert into people values (?, ?, ?, ?, ?, ?)')
  for (const { id, email, phone, pin, photo, boss } of PEOPLE) {
    insert.run(id, email, phone, pin === null ? null : BigInt(pin), photo === null ? null : Buffer.from(photo, 'hex'), boss)
  }
  db.close()
  const key = maskKey === null ? {} : { maskKey }
  const source = createSqliteSource({ path, consistency: 'snapshot', tempDir: join(folder, 'tmp'), ...key })
  const discard = async (): Promise<void> => {
    await source.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { source, discard }
}

describeMasks('SQLite', makePeople)

describe('without a key', () => {
  it('nothing is hashed: the export fails and gives nothing out', async () => {
    const { source, discard } = await makePeople(null)
    try {
      const asked = part('people', ['id', field('email', { mask: 'hash', type: 'text' })])
      await expect(readRows(source, asked, 'flat')).rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_/) })
    } finally {
      await discard()
    }
  })
})

describe('the pads of the HMAC', () => {
  it('give with two plain SHA-256 what a database is to compute', async () => {
    const { createHash } = await import('node:crypto')
    const { inner, outer } = hmacPads(MASK_KEY)
    const sha256 = (...pieces: (Buffer | string)[]) => {
      const hash = createHash('sha256')
      for (const piece of pieces) hash.update(piece)
      return hash.digest()
    }
    expect(sha256(outer, sha256(inner, 'ada')).toString('hex').slice(0, 32)).toBe(hashed('ada', MASK_KEY))
  })

  it('partial never gives more than half of a short text away', () => {
    for (const text of ['', 'a', 'abcdefg', '@', '@abc']) expect(partial(text)).toBe('***')
    expect(partial('abcdefgh')).toBe('***efgh')
    expect(partial('a@b')).toBe('a***@b')
  })
})
