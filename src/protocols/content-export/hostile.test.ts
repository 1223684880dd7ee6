import { expect, it } from 'vitest'
import { describeHostileWire } from '../../../test/contracts/hostile-wire.ts'
import { openProtocolSite } from '../../../test/protocol-site.ts'
import { contentExport } from './content-export.ts'

const row = { id: 'text', tenant_id: 'text', portalId: 'text', language: 'text', category: 'text' } as const
const part = (resource: string) => ({ resource, portal: 'portalId' })

const s3Details = { region: 'us-east-1', accessKey: 'AKIACANARY', secretKey: 'canary-secret' }
const bucket = { destinationType: 'AWS S3 bucket', path: 's3://exports/folder', s3Details }
const server = {
  destinationType: 'SFTP server',
  path: 'exports/folder',
  sftpDetails: { username: 'u', password: 'canary-secret', host: 'sftp.example.com' },
}
const asked = (members: Record<string, unknown> = {}) => ({
  portalID: 'PROD-1000',
  language: { code: 'en-US' },
  resourceTypes: ['all'],
  dataDestination: bucket,
  ...members,
})
const toBucket = (members: Record<string, unknown>) => asked({ dataDestination: { ...bucket, ...members } })
const toS3 = (members: Record<string, unknown>) => toBucket({ s3Details: { ...s3Details, ...members } })
const toServer = (members: Record<string, unknown>) =>
  asked({ dataDestination: { ...server, sftpDetails: { ...server.sftpDetails, ...members } } })

describeHostileWire('content-export', {
  open: () =>
    openProtocolSite({
      tables: { portals: row, topics: row, articles: row, nothing: { id: 'integer', tenant_id: 'text' } },
      protocols: (site) => [
        contentExport({ portals: part('portals'), topics: part('topics'), articles: part('articles') }, site),
      ],
    }),
  headers: { 'accept-language': 'en-US' },
  create: { path: '/knowledge/portalmgr/v4/content/export', body: asked() },
  // One export at a time is made of a portal.
  another: (number) => asked({ portalID: `PROD-${2_000 + number}` }),
  read: (id) => `/knowledge/portalmgr/v4/content/export/${id}/status`,
  statuses: { invalid: 400, tooLarge: 413 },
  expectRefusal({ status, text }) {
    const body = JSON.parse(text)
    expect(body).toMatchObject({ code: expect.stringMatching(/^\d{3}-\d{3}$/), developerMessage: expect.stringMatching(/\S/) })
    expect(Object.keys(body).filter((name) => !['code', 'developerMessage', 'details'].includes(name))).toEqual([])
    expect(body.code.slice(0, 3)).toBe(String(status))
    if (status === 400) expect(['400-101', '400-112', '400-152', '400-196']).toContain(body.code)
    expect(body.developerMessage.length).toBeLessThanOrEqual(2_048)
    expect(text).not.toContain('canary')
  },
  readOnly: ['status', 'progress', 'startTime', 'results', 'jobID', 'tenant', 'id', 'error'],
  wrongBodies: [
    ['a portal as a number', asked({ portalID: 1_000 })],
    ['a portal as a list', asked({ portalID: ['PROD-1000'] })],
    ['a portal that is SQL', asked({ portalID: "x' or 1=1--" })],
    ['a portal with a line break', asked({ portalID: 'PROD-1000\n' })],
    ['a portal of 21 characters', asked({ portalID: `PROD-${'1'.repeat(16)}` })],
    ['a language as a text', asked({ language: 'en-US' })],
    ['a language that is null', asked({ language: null })],
    ['a language in another case', asked({ language: { code: 'en-us' } })],
    ['a language that is a path', asked({ language: { code: '../../etc' } })],
    ['a language with a member of its own', asked({ language: { code: 'en-US', name: 'x' } })],
    ['types as a text', asked({ resourceTypes: 'all' })],
    ['types as an object', asked({ resourceTypes: { 0: 'all' } })],
    ['no types', asked({ resourceTypes: [] })],
    ['101 types', asked({ resourceTypes: Array.from({ length: 101 }, () => 'all') })],
    ['a type in another case', asked({ resourceTypes: ['Articles'] })],
    ['a type that is a prototype', asked({ resourceTypes: ['constructor'] })],
    ['categories as a list', asked({ articleCategories: ['all'] })],
    ['a flag as a text', asked({ exportUnpublishedOnly: 'false' })],
    ['a flag as a number', asked({ exportUnpublishedOnly: 1 })],
    ['what this server does not have', asked({ exportUnpublishedOnly: true })],
    ['filters of another protocol', asked({ filters: { password_hash_eq: 'x' } })],
    ['a destination as a text', asked({ dataDestination: 's3://exports' })],
    ['a destination of no type', toBucket({ destinationType: 'FTP' })],
    ['a destination with both details', asked({ dataDestination: { ...bucket, sftpDetails: 'x', extra: 1 } })],
    ['a bucket without its details', toBucket({ s3Details: undefined })],
    ['a server without its details', asked({ dataDestination: { ...server, sftpDetails: undefined } })],
    ['a path of 1,025 characters', toBucket({ path: `s3://b/${'x'.repeat(1_018)}` })],
    ['a path of another kind', toBucket({ path: 'file:///etc/passwd' })],
    ['a path that climbs', toBucket({ path: 's3://exports/../other' })],
    ['a path with NUL', toBucket({ path: 's3://exports/a\u0000b' })],
    ['a bucket with an address', toBucket({ path: 's3://evil.example:80@x/' })],
    ['a region that leads elsewhere', toS3({ region: 'x.evil.net/#' })],
    ['a region of 21 characters', toS3({ region: 'x'.repeat(21) })],
    ['a key of 129 characters', toS3({ accessKey: 'A'.repeat(129) })],
    ['a key with a line break', toS3({ accessKey: 'A\r\nx-amz-acl: public-read' })],
    ['a secret as a number', toS3({ secretKey: 1 })],
    ['a secret as an object', toS3({ secretKey: { $ne: null } })],
    ['a host as a number', toServer({ host: '2130706433' })],
    ['a host as an address', toServer({ host: '127.0.0.1' })],
    ['a host in brackets', toServer({ host: '[::ffff:7f00:1]' })],
    ['a host with a user', toServer({ host: 'user:pw@sftp.example.com' })],
    ['a host with a port', toServer({ host: 'sftp.example.com:22' })],
    ['a host with its dot', toServer({ host: 'sftp.example.com.' })],
    ['a host of 300 characters', toServer({ host: `${'a.'.repeat(148)}com` })],
    ['a user of 129 characters', toServer({ username: 'u'.repeat(129) })],
    ['a port as a text', toServer({ port: '22' })],
    ['a port of 0', toServer({ port: 0 })],
    ['a port of 65,536', toServer({ port: 65_536 })],
    ['a port with a fraction', toServer({ port: 22.5 })],
  ],
  plainBodies: [
    ['a folder like a formula', asked({ portalID: 'PROD-3000', dataDestination: { ...bucket, path: "s3://exports/=cmd'!A0" } })],
    ['a secret like SQL', asked({ ...toS3({ secretKey: "' or 1=1--" }), portalID: 'PROD-3001' })],
  ],
})

it('says 403 to a caller that may not have what is exported here', async () => {
  const site = await openProtocolSite({
    tables: { portals: row, topics: row, articles: row },
    resources: { articles: { fieldScopes: { category: 'pii:read' } } },
    protocols: (mount) => [
      contentExport(
        { portals: part('portals'), topics: part('topics'), articles: { ...part('articles'), fields: ['id', 'category'] } },
        mount,
      ),
    ],
  })
  const { status, body } = await site.ask('/content/export', {
    method: 'POST',
    body: asked(),
    headers: { 'accept-language': 'en-US' },
  })
  expect([status, body]).toEqual([403, { code: '403-197', developerMessage: 'Not authorized to perform this action.' }])
  await site.close()
})
