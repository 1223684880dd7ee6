/** DuckDB databases keep the contract of a source. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describeSource } from '../../../test/contracts/source.ts'
import { createDuckDbSource } from './duckdb.ts'

describeSource('DuckDB', async (statements) => {
  const folder = await mkdtemp(join(tmpdir(), 'freight-duckdb-'))
  const path = join(folder, 'team.duckdb')
  const tempDir = join(folder, 'tmp')
  const write = async (sql: string): Promise<void> => {
    const instance = await DuckDBInstance.create(path)
    const connection = await instance.connect()
    await connection.run(sql)
    connection.closeSync()
    instance.closeSync()
  }
  await write(statements)
  const source = createDuckDbSource({ kind: 'duckdb', path, folders: [], consistency: 'snapshot', tempDir })
  return {
    source,
    write,
    async close() {
      await source.close()
      const left = await readdir(tempDir)
      await rm(folder, { recursive: true })
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
    },
  }
})
