/**
 * A Freight server for the benchmarks, in a process of its own: prints `{"url","key"}` when it listens; SIGTERM stops it.
 * Usage: node bench/server.ts DATA_FOLDER DATABASE
 */
import pino from 'pino'
import { resolveConfig } from '../src/config.ts'
import type { ProtocolsConfig } from '../src/protocols/settings.ts'
import { openAdministration, startService } from '../src/service.ts'

const [dataDir, database] = process.argv.slice(2)
if (!dataDir || !database) throw new Error('usage: server.ts DATA_FOLDER DATABASE')

const resources = { orders: { tenant: 'shared' } }
const env = { FREIGHT_DATA: dataDir, PORT: '0', FREIGHT_LOG_LEVEL: 'warn' }
const PART = { resource: 'orders', portal: 'ref' }
const protocols: ProtocolsConfig = {
  // Only how fast a job is shown is measured, so any columns will do for what is filtered by.
  'v1-exports': {
    resource: 'orders',
    fields: { status: 'note', direction: 'company', endpoint: 'ref', inboundEndpoint: 'name' },
  },
  'clients-export': { resource: 'orders' },
  'content-export': { portals: PART, topics: PART, articles: PART },
  'api-exports': { resources: { orders: 'orders' } },
}
const config = resolveConfig({ source: `sqlite:${database}`, resources, protocols, requestsPerMinute: 1_000_000 }, dataDir, env)
const service = await startService(config, pino({ level: 'warn' }, pino.destination(2)))
const administration = await openAdministration(config)
const { secret } = await administration.createKey({ tenant: 'bench', name: 'bench', mode: 'live' })
await administration.close()
console.log(JSON.stringify({ url: service.url, key: secret }))
process.once('SIGTERM', async () => {
  await service.stop()
  process.exit(0)
})
