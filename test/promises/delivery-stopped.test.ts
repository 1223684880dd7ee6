/** Deliveries that are stopped half-way, by their caller, with their key, by a stopping server or by the guard: nothing half-written stays at the destination. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import pino from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FreightConfig } from '../../src/config/freight-config.ts'
import { resolveConfig } from '../../src/config.ts'
import { startService } from '../../src/service.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { type Body, ended, events, makeKey, makeSite, type Server, type Site, shown, startServer } from '../rig.ts'
import { BUCKET, S3_KEYS, type S3Site, startS3Server } from '../s3-server.ts'
import { SFTP_USER, type SftpSite, startSftpServer } from '../sftp-server.ts'

const PATH = '/content/export'
const LANGUAGE = { 'accept-language': 'en-US' }
/** Two parts of a multipart upload. */
const ARTICLES = 40

let folder: string
let site: Site
let sftp: SftpSite
let s3: S3Site
let config: FreightConfig

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-stopped-'))
  for (const name of ['s3', 'sftp']) await mkdir(join(folder, name))
  const database = new Database(join(folder, 'knowledge.db'))
  database.exec(`
    create table portals (id text primary key, tenant_id text);
    create table topics (id integer primary key, tenant_id text, portal text);
    create table articles (id integer primary key, tenant_id text, portal text, content text);
    insert into portals values ('PROD-1000', 'acme');
    insert into topics values (1, 'acme', 'PROD-1000');
    insert into articles with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ARTICLES})
      select i, 'acme', 'PROD-1000', hex(randomblob(100000)) from n;`)
  database.close()
  s3 = await startS3Server(join(folder, 's3'))
  sftp = await startSftpServer(join(folder, 'sftp'))
  const resource = { tenant: 'tenant_id', hide: ['tenant_id'] }
  config = {
    source: `sqlite:${join(folder, 'knowledge.db')}`,
    resources: { portals: resource, topics: resource, articles: resource },
    protocols: {
      'content-export': {
        portals: { resource: 'portals', portal: 'id' },
        topics: { resource: 'topics', portal: 'portal' },
        articles: { resource: 'articles', portal: 'portal' },
      },
    },
    concurrency: 1,
    requestsPerMinute: 1_000_000,
    drainSeconds: 0.3,
    delivery: { networks: ['127.0.0.1'], s3Endpoint: `http://127.0.0.1:${s3.port}` },
  }
  site = await makeSite(JSON.stringify(config))
})

afterEach(async () => {
  await site.remove()
  await sftp.close()
  await s3.stop()
  await rm(folder, { recursive: true, force: true })
})

const toBucket = () => ({
  destinationType: 'AWS S3 bucket',
  path: `s3://${BUCKET}/in`,
  s3Details: { region: 'us-east-1', accessKey: S3_KEYS.accessKey, secretKey: S3_KEYS.secretKey },
})
const toServer = () => ({
  destinationType: 'SFTP server',
  path: 'in',
  sftpDetails: { ...SFTP_USER, host: 'sftp.localhost', port: sftp.port },
})

/** The id of an export of everything, in lower case. */
async function create(server: Server, key: string, dataDestination: object): Promise<string> {
  const body = { portalID: 'PROD-1000', language: { code: 'en-US' }, resourceTypes: ['all'], dataDestination }
  const answer = await server.call(key, 'POST', PATH, body, LANGUAGE)
  expect(answer.status).toBe(202)
  return (answer.headers.get('location') ?? '').split('/').at(-1)?.toLowerCase() ?? ''
}

/** Names below the SFTP server's folder, whatever they are. */
async function serverFiles(): Promise<string[]> {
  const entries = await readdir(join(folder, 'sftp'), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(join(folder, 'sftp', 'in').length + 1))
}

async function reached(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries += 1) {
    if (tries > 2_000) throw new Error('the delivery did not get so far')
    await setTimeout(10)
  }
}

/** As `freight keys revoke` does, beside the running server. */
async function revoke(key: string): Promise<void> {
  const store = await openSqliteStore(join(site.dataDir, 'freight.db'))
  expect(await store.revokeKey(key.split('_')[2] ?? '', new Date())).toBe(true)
  await store.close()
}

/** How often a run of this job has counted as a fault; no answer tells it. */
function failuresOf(id: string): unknown {
  const records = new Database(join(site.dataDir, 'freight.db'), { readonly: true })
  try {
    return records.prepare('select failures from jobs where id = ?').pluck().get(id)
  } finally {
    records.close()
  }
}

it('a cancelled delivery is off the SFTP server and out of the bucket within two seconds', { timeout: 60_000 }, async () => {
  const key = await makeKey(site, 'acme')
  const server = await startServer(site)
  const cancelled = async (id: string, isClean: () => Promise<boolean>): Promise<void> => {
    expect((await server.call(key, 'POST', `/exports/${id}/cancel`)).status).toBe(200)
    await expect.poll(isClean, { timeout: 2_000, interval: 20 }).toBe(true)
    const { body } = await server.call(key, 'GET', `${PATH}/${id}/status`, undefined, LANGUAGE)
    expect(body).toMatchObject({ status: 'Failed', error: 'The export was cancelled.' })
  }

  let stuck = false
  // Some packets arrive, so that there is something to take back.
  sftp.faults.onWrite = (count) => {
    stuck = count > 20
    return stuck ? 'hang' : undefined
  }
  const first = await create(server, key, toServer())
  await reached(() => stuck)
  expect(await serverFiles()).toEqual([expect.stringMatching(/^[0-9a-f-]{36}\/articles-.*\.json\.[0-9a-f]{8}\.part$/)])
  await cancelled(first, async () => (await serverFiles()).length === 0)
  sftp.faults = {}

  s3.fault = ({ verb, part }) => (verb === 'part' && part === 2 ? 'hang' : undefined)
  const second = await create(server, key, toBucket())
  await reached(() => s3.requests.some(({ verb, part }) => verb === 'part' && part === 2))
  expect(await s3.uploads()).toHaveLength(1)
  await cancelled(second, async () => (await s3.uploads()).length === 0 && (await s3.objects()).size === 0)
  expect(s3.requests.at(-1)?.verb).toBe('abort')
  s3.fault = () => undefined

  // The run's place is free, and so is the portal.
  expect(await ended(server, key, await create(server, key, toBucket()))).toMatchObject({ status: 'completed', attempt: 1 })
  expect((await s3.objects()).size).toBe(3)
})

it('a delivery whose key is revoked ends within seconds as FORBIDDEN and is taken back, off the SFTP server and out of the bucket', {
  timeout: 60_000,
}, async () => {
  const reader = await makeKey(site, 'acme')
  const server = await startServer(site)
  const refused = async (id: string, key: string): Promise<void> => {
    expect(await shown(server, reader, id)).toMatchObject({ status: 'in_progress' })
    await revoke(key)
    expect(await ended(server, reader, id)).toMatchObject({
      status: 'failed',
      error: { code: 'FORBIDDEN', message: expect.stringContaining('was revoked before all of its files were sent') },
      attempt: 1,
    })
    // The key is asked for each second; no other guard of a delivery ends one in less than half a minute.
    expect((await events(server, reader, id)).map(({ type }) => type)).toEqual(['created', 'started', 'failed'])
  }

  let stuck = false
  sftp.faults.onWrite = (count) => {
    stuck = count > 20
    return stuck ? 'hang' : undefined
  }
  const sftpKey = await makeKey(site, 'acme')
  const first = await create(server, sftpKey, toServer())
  await reached(() => stuck)
  expect(await serverFiles()).toHaveLength(1)
  await refused(first, sftpKey)
  await expect.poll(serverFiles, { timeout: 10_000 }).toEqual([])
  sftp.faults = {}

  s3.fault = ({ verb, part }) => (verb === 'part' && part === 2 ? 'hang' : undefined)
  const s3Key = await makeKey(site, 'acme')
  const second = await create(server, s3Key, toBucket())
  await reached(() => s3.requests.some(({ verb, part }) => verb === 'part' && part === 2))
  await refused(second, s3Key)
  await expect.poll(() => s3.uploads(), { timeout: 10_000 }).toHaveLength(0)
  expect((await s3.objects()).size).toBe(0)
})

it('a server that stops during a delivery takes it back, counts no failure, and delivers whole after the next start', {
  timeout: 60_000,
}, async () => {
  const key = await makeKey(site, 'acme')
  const first = await startServer(site)
  let stuck = false
  sftp.faults.onWrite = (count) => {
    stuck = count > 20
    return stuck ? 'hang' : undefined
  }
  const id = await create(first, key, toServer())
  await reached(() => stuck)
  const stopped = performance.now()
  expect(await first.stop()).toBe(0)
  expect(performance.now() - stopped).toBeLessThan(10_000)
  expect(await serverFiles()).toEqual([])
  expect(failuresOf(id)).toBe(0)

  sftp.faults = {}
  const next = await startServer(site)
  expect(await ended(next, key, id)).toMatchObject({ status: 'completed', attempt: 2 })
  expect((await events(next, key, id)).map(({ type }) => type)).toEqual([
    'created',
    'started',
    'returned',
    'started',
    'completed',
  ])
  const files = await serverFiles()
  expect(files.map((name) => name.replace(/-\d{4}-\d\d-\d\d.*$/, '')).sort()).toEqual(
    ['articles', 'portals', 'topics'].map((resource) => `${id}-2/${resource}`),
  )
  expect((await shown(next, key, id)).manifest?.delivery?.files).toHaveLength(3)
})

it('a delivery that gives no sign is ended by the guard as NO_PROGRESS, taken back, and tried again', {
  timeout: 60_000,
}, async () => {
  const key = await makeKey(site, 'acme')
  const env = { FREIGHT_DATA: site.dataDir, PORT: '0', FREIGHT_LOG_LEVEL: 'silent' }
  // Shorter than what a destination is waited for, which ends a delivery otherwise (DELIVERY_FAILED).
  const guarded = { ...resolveConfig(config, folder, env), noProgressMs: 3_000 }
  const service = await startService(guarded, pino({ level: 'silent' }))
  try {
    sftp.faults.onWrite = (count) => (count > 20 ? 'hang' : undefined)
    const ask = async (path: string, body?: object) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...LANGUAGE }
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      return fetch(`${service.url}${path}`, { headers, ...init })
    }
    const body = { portalID: 'PROD-1000', language: { code: 'en-US' }, resourceTypes: ['all'], dataDestination: toServer() }
    const created = await ask(PATH, body)
    expect(created.status).toBe(202)
    const id = (created.headers.get('location') ?? '').split('/').at(-1)?.toLowerCase() ?? ''
    const look = async () => (await (await ask(`/exports/${id}`)).json()) as Body
    await expect
      .poll(async () => (await look()).error, { timeout: 20_000, interval: 50 })
      .toEqual({
        code: 'NO_PROGRESS',
        message: 'No row was read and no byte written for 3 s; the run was ended.',
      })
    sftp.faults = {}
    await expect.poll(async () => (await look()).status, { timeout: 20_000, interval: 50 }).toBe('completed')
    expect((await look()).attempt).toBeGreaterThan(1)
    const files = await serverFiles()
    expect(files).toHaveLength(3)
    expect(files.every((name) => new RegExp(`^${id}-[2-5]/`).test(name))).toBe(true)
  } finally {
    await service.stop()
  }
})
