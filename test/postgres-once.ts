/**
 * vitest's global setup: one PostgreSQL server for the whole run, started when the first test asks for it (`test/postgres.ts`) and
 * stopped at the end. Tests run in processes of their own, so they ask over a socket.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A port of this machine that answers with the server's URL, or with why there is none, as a line of JSON. */
    readonly postgresPort: number
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<PostgresServer> | null = null
  const asked = createServer((socket) => {
    socket.on('error', () => {})
    starting ??= startPostgres()
    starting.then(
      ({ url }) => socket.end(JSON.stringify({ url })),
      (error: Error) => socket.end(JSON.stringify({ error: error.message })),
    )
  })
  asked.listen(0, '127.0.0.1')
  await once(asked, 'listening')
  const address = asked.address()
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  project.provide('postgresPort', address.port)
  return async () => {
    asked.close()
    const server = await starting?.catch(() => null)
    await server?.stop()
  }
}
