/** Content exports of the sample data from a real server, pushed to a real bucket and a real SFTP server before they are completed. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoConfig } from '../../src/cli/demo/demo-config.ts'
import { makeSampleData } from '../../src/cli/demo/sample-data.ts'
import { type Answer, type Body, ended, makeKey, makeSite, type Server, type Site, shown, startServer } from '../rig.ts'
import { BUCKET, S3_KEYS, type S3Site, startS3Server } from '../s3-server.ts'
import { SFTP_USER, type SftpSite, startSftpServer } from '../sftp-server.ts'

const FEW = { customers: 20, skus: 10, orders: 10, clients: 10, messages: 10, articles: 2_000 }
const PORTAL = 'PROD-1000'
const LANGUAGE = { 'accept-language': 'en-US' }

describe('a content export', () => {
  let folder: string
  let site: Site
  let server: Server
  let key: string
  let sftp: SftpSite
  let s3: S3Site

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'freight-delivery-'))
    for (const name of ['s3', 'sftp']) await mkdir(join(folder, name))
    makeSampleData(join(folder, 'sample.db'), FEW)
    s3 = await startS3Server(join(folder, 's3'))
    sftp = await startSftpServer(join(folder, 'sftp'))
    const config = demoConfig(join(folder, 'sample.db'))
    const content = config.protocols?.['content-export']
    // Articles of every language, so that one portal has more than a file holds.
    const { language: _language, ...articles } = content?.articles ?? { resource: '', portal: '' }
    site = await makeSite(
      JSON.stringify({
        ...config,
        protocols: { 'content-export': { ...content, articles } },
        requestsPerMinute: 1_000_000,
        delivery: { networks: ['127.0.0.1'], s3Endpoint: `http://127.0.0.1:${s3.port}` },
      }),
    )
    key = await makeKey(site, 'acme')
    server = await startServer(site, { FREIGHT_LOG_LEVEL: 'trace' })
  })

  afterAll(async () => {
    await site?.remove()
    await sftp?.close()
    await s3?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const toBucket = {
    destinationType: 'AWS S3 bucket',
    path: `s3://${BUCKET}/knowledge`,
    s3Details: { region: 'us-east-1', accessKey: S3_KEYS.accessKey, secretKey: S3_KEYS.secretKey },
  }
  const toServer = (differences: object = {}) => ({
    destinationType: 'SFTP server',
    path: 'exports/knowledge',
    sftpDetails: { ...SFTP_USER, host: 'sftp.localhost', port: sftp.port, ...differences },
  })

  async function create(dataDestination: object, differences: object = {}): Promise<string> {
    const body = { portalID: PORTAL, language: { code: 'en-US' }, resourceTypes: ['all'], dataDestination, ...differences }
    const path = '/knowledge/portalmgr/v4/content/export'
    const answer = await server.call(key, 'POST', path, body, LANGUAGE)
    expect(answer).toMatchObject({ status: 202, body: { text: '' } })
    return answer.headers.get('location') ?? ''
  }

  async function status(location: string): Promise<Answer> {
    return server.call(key, 'GET', `${location}/status`, undefined, LANGUAGE)
  }

  const idOf = (location: string): string => location.split('/').at(-1)?.toLowerCase() ?? ''
  const end = (location: string): Promise<Body> => ended(server, key, idOf(location))

  function source(sql: string): Body[] {
    const database = new Database(join(folder, 'sample.db'), { readonly: true })
    try {
      return database.prepare(sql).all() as Body[]
    } finally {
      database.close()
    }
  }

  /** What the caller finds, by name. */
  function readAll(files: ReadonlyMap<string, Buffer>): Map<string, Body[]> {
    return new Map([...files].sort().map(([name, bytes]) => [name, JSON.parse(String(bytes))]))
  }

  async function sftpFiles(location: string): Promise<Map<string, Buffer>> {
    const at = join(folder, 'sftp', 'exports', 'knowledge', idOf(location))
    const names = await readdir(at).catch(() => [])
    return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(at, name))] as const)))
  }

  async function bucketFiles(location: string): Promise<Map<string, Buffer>> {
    const prefix = `knowledge/${idOf(location)}/`
    const objects = [...(await s3.objects())].filter(([name]) => name.startsWith(prefix))
    return new Map(objects.map(([name, bytes]) => [name.slice(prefix.length), bytes]))
  }

  it('is not made of a portal that the tenant does not have', async () => {
    // One of globex, and one of nobody: in the sample data portals are the rows of a view.
    for (const portalID of ['PROD-1004', 'PROD-9999']) {
      const body = { portalID, language: { code: 'en-US' }, resourceTypes: ['portals'], dataDestination: toBucket }
      const answer = await server.call(key, 'POST', '/content/export', body, LANGUAGE)
      expect(answer).toMatchObject({ status: 404, body: { code: '404-101' } })
    }
  })

  it('is whole in the bucket when it says so, every article, topic and portal of it', async () => {
    const location = await create(toBucket, { articleCategories: 'all' })
    expect(location).toMatch(/^\/knowledge\/portalmgr\/v4\/content\/export\/[0-9A-F-]{36}$/)
    const job = await end(location)
    const files = readAll(await bucketFiles(location))
    const rows = (part: string): Body[] => [...files].filter(([name]) => name.includes(part)).flatMap(([, each]) => each)
    const expected = source(`select id, name, content from content_articles where portalId = '${PORTAL}' order by id`)
    const byId = (one: Body, other: Body): number => (one.id < other.id ? -1 : 1)
    expect(
      rows('content_articles')
        .map(({ id, name, content }) => ({ id, name, content }))
        .sort(byId),
    ).toEqual(expected)
    const lengths = [...files].filter(([name]) => name.includes('content_articles')).map(([, each]) => each.length)
    expect(lengths).toEqual([250, expected.length - 250])
    expect(rows('content_portals')).toEqual(
      source(
        `select id, alternateId, name, description, departmentId, defaultContentLanguageId from content_portals where id = '${PORTAL}'`,
      ),
    )
    const topics = rows('content_topics')
    expect(topics).toHaveLength(20)
    expect(topics[0]).toMatchObject({
      parentTopicId: '-1',
      childCount: 4,
      subTopicIds: ['PROD-20005', 'PROD-20009', 'PROD-20013', 'PROD-20017'],
    })
    expect(topics.every(({ modifiedDate }) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(modifiedDate))).toBe(true)
    const total = expected.length + 21
    expect((await status(location)).body).toMatchObject({
      status: 'Successful',
      progress: { processed: total, total, percentage: 100 },
      results: { successful: total, warnings: 0, errors: 0 },
    })
    expect(job.manifest.delivery).toMatchObject({ place: `s3://${BUCKET}/knowledge/${job.id}` })
    expect(job.manifest.delivery.files.map((file: Body) => file.name).sort()).toEqual([...files.keys()])
  })

  it('is whole on the SFTP server when it says so, and nothing stands there under another name', async () => {
    const location = await create(toServer(), { resourceTypes: ['articles', 'portals'], exportUnpublishedOnly: true })
    expect((await end(location)).status).toBe('completed')
    const files = readAll(await sftpFiles(location))
    expect([...files.keys()].map((name) => name.replace(/-\d{4}-.*$/, ''))).toEqual(['content_drafts', 'content_portals'])
    const expected = source(
      `select id from content_drafts where portalId = '${PORTAL}' and languageCode = 'en-US' and category = 'searchable' order by id`,
    )
    expect(
      files
        .values()
        .next()
        .value?.map(({ id }) => id)
        .sort(),
    ).toEqual(expected.map(({ id }) => id).sort())
  })

  it('is not completed before the last file has arrived, and a second one of the portal is refused until then', async () => {
    let waits = 0
    s3.fault = ({ verb }) => {
      if (verb !== 'put') return undefined
      waits += 1
      return waits > 1 ? [503, 'SlowDown'] : undefined
    }
    const location = await create(toBucket)
    for (let tries = 0; waits < 2 && tries < 400; tries += 1) await setTimeout(25)
    let { body } = await status(location)
    for (let tries = 0; body.progress?.percentage !== 99.99 && tries < 100; tries += 1) {
      await setTimeout(25)
      body = (await status(location)).body
    }
    expect(body).toMatchObject({ status: 'In Progress' })
    expect(body.progress.percentage).toBeLessThan(100)
    const second = await server.call(
      key,
      'POST',
      '/content/export',
      { portalID: PORTAL, language: { code: 'en-US' }, resourceTypes: ['all'], dataDestination: toBucket },
      LANGUAGE,
    )
    expect(second).toMatchObject({ status: 400, body: { code: '400-152', details: [{ key: 'portalID' }] } })
    s3.fault = () => undefined
    expect((await end(location)).status).toBe('completed')
  })

  it('stops within seconds when it is cancelled while its files are on their way, and says Failed', async () => {
    let stuck = 0
    sftp.faults.onWrite = () => {
      stuck += 1
      return 'hang'
    }
    const location = await create(toServer())
    for (let tries = 0; stuck === 0 && tries < 400; tries += 1) await setTimeout(25)
    const begun = Date.now()
    expect((await server.call(key, 'POST', `/exports/${idOf(location)}/cancel`)).status).toBe(200)
    expect((await status(location)).body).toMatchObject({ status: 'Failed', error: 'The export was cancelled.' })
    sftp.faults = {}
    // The portal is free again, and so is the run's place.
    const next = await create(toServer())
    expect((await end(next)).status).toBe('completed')
    expect(Date.now() - begun).toBeLessThan(20_000)
    expect([...(await sftpFiles(location)).keys()].filter((name) => !name.endsWith('.part'))).toEqual([])
  })

  it('fails with what arrived when the server denies a later file', async () => {
    let files = 0
    sftp.faults.onWrite = () => (sftp.renamed.length > files ? 'deny' : undefined)
    files = sftp.renamed.length
    const location = await create(toServer())
    const job = await end(location)
    sftp.faults = {}
    expect(job).toMatchObject({ status: 'failed', error: { code: 'DELIVERY_REFUSED' } })
    const { body } = await status(location)
    expect(body.status).toBe('Failed')
    expect(body.error).toMatch(/1 of its 3 files arrived and stay there: content_articles-[^,]*\.json\./)
    expect(body.error).toMatch(/"content_topics-.*" did not arrive, for it does not allow writing there \(permission denied\)/)
    expect([...(await sftpFiles(location)).keys()]).toHaveLength(1)
    // Begun again, it goes into a folder of its own.
    await server.call(key, 'POST', `/exports/${job.id}/start`)
    expect(await ended(server, key, job.id)).toMatchObject({ status: 'completed', attempt: 2 })
    expect(await readdir(join(folder, 'sftp', 'exports', 'knowledge', `${job.id}-2`))).toHaveLength(3)
  })

  it('fails at once with wrong credentials', async () => {
    const location = await create(toServer({ password: 'canary-wrong-password' }))
    const job = await end(location)
    expect(job.error).toMatchObject({
      code: 'DELIVERY_REFUSED',
      message: expect.stringContaining('refused the user name or password'),
    })
    expect(job.attempt).toBe(1)
    const s3Details = { ...toBucket.s3Details, secretKey: 'canary-wrong-secret' }
    const refused = await end(await create({ ...toBucket, s3Details }, { resourceTypes: ['portals'] }))
    expect(refused.error).toMatchObject({ code: 'DELIVERY_REFUSED', message: expect.stringContaining('refused the credentials') })
  })

  it('leaves no credential in the store, the log, the events or an answer', async () => {
    const canaries = [SFTP_USER.password, 'canary-wrong-password', 'canary-wrong-secret']
    const exports = await server.call(key, 'GET', '/exports?limit=100')
    const said = [JSON.stringify(exports.body), server.output()]
    for (const { id } of exports.body.data) {
      said.push(JSON.stringify(await shown(server, key, id)))
      said.push(JSON.stringify((await server.call(key, 'GET', `/exports/${id}/events`)).body))
    }
    for (const name of await readdir(site.dataDir, { recursive: true, withFileTypes: true })) {
      if (name.isFile()) said.push((await readFile(join(name.parentPath, name.name))).toString('latin1'))
    }
    expect(said.length).toBeGreaterThan(10)
    for (const canary of canaries) expect(said.filter((text) => text.includes(canary))).toEqual([])
  })
})
