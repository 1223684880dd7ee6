import { join } from 'node:path'
import { expect, test } from 'vitest'
import { refusalOf } from '../../test/config-refusal.ts'
import { resolveConfig } from '../config.ts'
import type { Environment } from './environment.ts'
import type { FreightConfig } from './freight-config.ts'

const FOLDER = '/srv/app'
const SECRET = 'q7Zp1vK9sX3mB8nC2dF6gH4jL0aW5eR_'
const MINIMAL: FreightConfig = { source: 'sqlite:shop.db', resources: { orders: { tenant: 'tenant_id' } } }

test.each<[Environment, string]>([
  [{ PORT: '70000' }, 'PORT: must be a port'],
  [{ PORT: 'abc' }, 'PORT: must be a port'],
  [{ PORT: '-1' }, 'PORT: must be a port'],
  [{ PORT: '8080\n' }, 'PORT: must be a port'],
  [{ HOST: 'http://x' }, 'HOST: must be an address'],
  [{ HOST: 'a\nb' }, 'HOST: must be an address'],
  [{ FREIGHT_LOG_LEVEL: 'verbose' }, 'FREIGHT_LOG_LEVEL: must be one of'],
  [{ FREIGHT_SECRET: '' }, 'FREIGHT_SECRET: must have at least 32 characters'],
  [{ FREIGHT_SECRET: 'hunter2' }, 'FREIGHT_SECRET: must have at least 32 characters'],
  [{ FREIGHT_SECRET: `change-me-${SECRET}` }, 'FREIGHT_SECRET: is an example'],
  [{ FREIGHT_SECRET: 'ab'.repeat(20) }, 'FREIGHT_SECRET: is an example'],
  [{ FREIGHT_SECRET: SECRET, FREIGHT_SECRET_PREVIOUS: 'hunter2' }, 'FREIGHT_SECRET_PREVIOUS: must have at least 32 characters'],
  [{ FREIGHT_DATA: '/' }, 'FREIGHT_DATA: must be a folder of its own'],
  [{ FREIGHT_DATA: '/tmp/..' }, 'FREIGHT_DATA: must be a folder of its own'],
  [{ FREIGHT_DATA: '/proc/freight' }, 'FREIGHT_DATA: lies in a file system'],
  [{ FREIGHT_DATA: '/etc/passwd' }, 'FREIGHT_DATA: is a file'],
  [{ FREIGHT_DATA: '/etc/passwd/data' }, 'FREIGHT_DATA: is a file'],
  [{ FREIGHT_DATA: 'a\nb' }, 'FREIGHT_DATA: must be a path'],
  [{ FREIGHT_PUBLIC_URL: 'exports.example.com' }, 'FREIGHT_PUBLIC_URL: must be an http'],
  [{ FREIGHT_PUBLIC_URL: 'ftp://exports.example.com' }, 'FREIGHT_PUBLIC_URL: must be an http'],
  [{ FREIGHT_PUBLIC_URL: 'https://me:hunter2@exports.example.com' }, 'FREIGHT_PUBLIC_URL: must be an http'],
  [{ FREIGHT_DATABASE_URL: 'postgres://me:hunter2@db/freight' }, 'FREIGHT_DATABASE_URL: is not supported yet'],
])('the environment %j is refused', (env, message) => {
  const refused = refusalOf(() => resolveConfig(MINIMAL, FOLDER, env))
  expect(refused).toContain(message)
  expect(refused).not.toContain('hunter2')
})

test('what the environment sets is taken', () => {
  const config = resolveConfig(MINIMAL, FOLDER, {
    PORT: '0',
    HOST: '::1',
    FREIGHT_DATA: 'var/freight',
    FREIGHT_PUBLIC_URL: 'https://exports.example.com/freight/',
    FREIGHT_SECRET: SECRET,
    FREIGHT_LOG_LEVEL: 'debug',
  })
  expect(config).toMatchObject({
    port: 0,
    host: '::1',
    dataDir: join(FOLDER, 'var/freight'),
    publicUrl: 'https://exports.example.com/freight',
    secret: SECRET,
    logLevel: 'debug',
  })
})
