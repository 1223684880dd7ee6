/** The contract of a source, kept by SQLite. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect } from 'vitest'
import { describeSource } from '../../../test/contracts/source.ts'
import { createSqliteSource } from './sqlite.ts'

for (const journal of ['wal', 'delete'] as const) {
  describeSource(`SQLite with journal_mode=${journal}`, async (statements) => {
    const folder = await mkdtemp(join(tmpdir(), 'freight-sqlite-'))
    const path = join(folder, 'team.db')
    const tempDir = join(folder, 'tmp')
    const writer = new Sqlite(path)
    writer.pragma(`journal_mode = ${journal}`)
    writer.pragma('synchronous = off')
    writer.exec(statements)
    const source = createSqliteSource({ path, consistency: 'snapshot', tempDir })
    return {
      source,
      async write(sql) {
        writer.exec(sql)
      },
      async close() {
        await source.close()
        writer.close()
        // Nothing of a snapshot outlives it.
        expect(await readdir(tempDir)).toEqual([])
        await rm(folder, { recursive: true })
      },
    }
  })
}
