/** The contract of a source, kept by PostgreSQL. */
import { describeSource } from '../../../test/contracts/source.ts'
import { createDatabase } from '../../../test/postgres.ts'
import { createPostgresSource } from './postgres.ts'

describeSource('PostgreSQL', async (statements) => {
  const database = await createDatabase(statements)
  const source = createPostgresSource({ url: database.url, parallel: 1 })
  return {
    source,
    async write(sql) {
      await database.run(sql)
    },
    async close() {
      await source.close()
      await database.drop()
    },
  }
})
