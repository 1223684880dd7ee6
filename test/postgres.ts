/** Databases of their own for tests, on the run's one PostgreSQL server. */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  readonly url: string
  /** Runs statements as another program would, committed when it resolves. Values come as text. */
  run(sql: string): Promise<Record<string, string | null>[]>
  /** A connection of the test's own; closed with the database. */
  connect(): Promise<pg.Client>
  /** Drops it, ending whatever is still connected. */
  drop(): Promise<void>
}

const asText = { getTypeParser: () => (value: string) => value }

export async function createDatabase(statements = ''): Promise<TestDatabase> {
  const server = await serverUrl()
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const administrate = async (sql: string): Promise<void> => {
    const client = await connected(`${server}postgres`)
    await client.query(sql).finally(() => client.end())
  }
  await administrate(`create database ${name}`)
  const url = `${server}${name}`
  const clients: pg.Client[] = []
  const database: TestDatabase = {
    url,
    async run(sql) {
      const client = await connected(url)
      try {
        const result = (await client.query(sql)) as pg.QueryResult | pg.QueryResult[]
        return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? []
      } finally {
        await client.end()
      }
    },
    async connect() {
      const client = await connected(url)
      clients.push(client)
      return client
    },
    async drop() {
      await Promise.all(clients.map((client) => client.end()))
      // As `with (force)` does, which 12 does not know.
      await administrate(`alter database ${name} with allow_connections false`)
      await administrate(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
      await administrate(`drop database ${name}`)
    },
  }
  if (statements !== '') await database.run(statements)
  return database
}

/** 18, say: what older ones do not know is left out of a test's statements. */
export async function serverVersion(): Promise<number> {
  const client = await connected(`${await serverUrl()}postgres`)
  const { rows } = await client.query<{ version: string }>(`select current_setting('server_version_num') as version`)
  await client.end()
  return Math.floor(Number(rows[0]?.version) / 10_000)
}

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, types: asText as pg.CustomTypesConfig })
  // A test may end this connection from outside.
  client.on('error', () => {})
  await client.connect()
  return client
}

async function serverUrl(): Promise<string> {
  const answer = JSON.parse(await text(connect(inject('postgresPort'), '127.0.0.1'))) as { url?: string; error?: string }
  if (answer.url === undefined) throw new Error(answer.error)
  return answer.url
}
