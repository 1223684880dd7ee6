import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attempt, BIG, type DeliverySite, describeDelivery, QUICK } from '../../test/contracts/delivery.ts'
import { BUCKET, S3_KEYS, type S3Site, startS3Server } from '../../test/s3-server.ts'
import { createReach } from './reach.ts'
import { createS3Delivery, type S3DeliveryOptions } from './s3.ts'

const reach = createReach({ hosts: null, networks: ['127.0.0.1'] })
const PART = 100_000

async function startSite(): Promise<S3Site & { remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-s3-'))
  const server = await startS3Server(folder)
  return Object.assign(server, {
    async remove() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  })
}

function optionsFor(server: S3Site, differences: Partial<S3DeliveryOptions> = {}): S3DeliveryOptions {
  const endpoint = `http://127.0.0.1:${server.port}`
  return {
    destination: { kind: 's3', bucket: BUCKET, folder: 'in', region: 'us-east-1', endpoint, sealed: '' },
    credentials: S3_KEYS,
    folder: 'X',
    reach,
    patience: QUICK,
    partBytes: PART,
    ...differences,
  }
}

/** As S3 itself names an object made of parts; the test server has a kind of its own here. */
function etagOf(bytes: Buffer): string {
  const md5 = (part: Buffer): Buffer => createHash('md5').update(part).digest()
  const parts = Array.from({ length: Math.ceil(bytes.length / PART) }, (_, at) => bytes.subarray(at * PART, (at + 1) * PART))
  return `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}"`
}

describeDelivery('an S3 bucket', async (): Promise<DeliverySite> => {
  const server = await startSite()
  return {
    open: ({ patience, wrongCredentials, folder } = {}) =>
      createS3Delivery(
        optionsFor(server, {
          patience: { ...QUICK, ...patience },
          ...(wrongCredentials ? { credentials: { ...S3_KEYS, secretKey: 'wrong-secret' } } : {}),
          ...(folder ? { folder } : {}),
        }),
      ),
    files: async () => new Map([...(await server.objects())].map(([key, bytes]) => [key.replace(/^in\//, ''), bytes])),
    leftovers: () => server.uploads(),
    breakTransfers(count) {
      let broken = 0
      server.fault = ({ verb, part }) => (verb === 'part' && part === 2 && broken++ < count ? 'drop' : undefined)
    },
    hang() {
      server.fault = ({ verb }) => (verb === 'part' ? 'hang' : undefined)
    },
    stop: () => server.stop(),
    close: () => server.remove(),
  }
})

describe('delivery to an S3 bucket', () => {
  let server: Awaited<ReturnType<typeof startSite>>
  beforeEach(async () => {
    server = await startSite()
  })
  afterEach(() => server.remove())

  const put = (differences: Partial<S3DeliveryOptions> = {}, bytes?: Buffer): Promise<unknown> =>
    attempt(createS3Delivery(optionsFor(server, differences)), bytes)
  const count = (verb: string): number => server.requests.filter((each) => each.verb === verb).length

  it('sends a small file in one request and knows its digest there', async () => {
    expect(await put({}, randomBytes(PART))).toEqual({ name: 'a.json', bytes: PART, verified: 'md5' })
    expect(server.requests.map(({ verb }) => verb)).toEqual(['put', 'head'])
  })

  it('knows the digest of an object in parts', async () => {
    const bytes = randomBytes(2 * PART)
    server.etag = () => etagOf(bytes)
    expect(await put({}, bytes)).toMatchObject({ verified: 'md5' })
    server.etag = () => `"${'0'.repeat(32)}-2"`
    expect(await put({}, bytes)).toMatchObject({ kind: 'given_up', message: expect.stringContaining('its ETag differs') })
  })

  it.each([1, 2, 3, 4])('sends part %i again when its connection breaks off', async (part) => {
    let broken = false
    server.fault = (seen) => {
      if (seen.verb !== 'part' || seen.part !== part || broken) return undefined
      broken = true
      return 'drop'
    }
    const bytes = randomBytes(BIG)
    expect(await put({}, bytes)).toMatchObject({ bytes: BIG })
    expect((await server.objects()).get('in/X/a.json')?.equals(bytes)).toBe(true)
    expect(count('part')).toBe(5)
  })

  it.each([
    [500, 'InternalError'],
    [503, 'SlowDown'],
    [429, 'TooManyRequests'],
    [400, 'RequestTimeout'],
  ] as const)('tries again after %i %s, at every step', async (status, code) => {
    // The answer to HEAD has no body, so nothing tells its code.
    const tells = (verb: string): boolean => status !== 400 || verb !== 'head'
    server.fault = (seen) => (seen.count === 1 && tells(seen.verb) ? [status, code] : undefined)
    expect(await put()).toMatchObject({ bytes: BIG })
  })

  it('finds the object when the answer to completing it was lost', async () => {
    const bytes = randomBytes(BIG)
    server.etag = () => etagOf(bytes)
    server.fault = ({ verb, count: nth }) => {
      if (verb !== 'complete') return undefined
      return nth === 1 ? 'dropAnswer' : [404, 'NoSuchUpload']
    }
    expect(await put({}, bytes)).toMatchObject({ bytes: BIG })
    expect([...(await server.objects()).keys()]).toEqual(['in/X/a.json'])
  })

  it('takes its parts back when it gives up, after the last of them has ended', async () => {
    server.fault = ({ verb, part }) => (verb === 'part' && part === 3 ? [503, 'SlowDown'] : undefined)
    expect(await put()).toMatchObject({ kind: 'given_up', message: expect.stringContaining('(SlowDown)') })
    expect(server.requests.at(-1)?.verb).toBe('abort')
    expect(await server.uploads()).toEqual([])
    expect(await server.objects()).toEqual(new Map())
  })

  it.each([
    [403, 'ExpiredToken', 'it refused the credentials (ExpiredToken)'],
    [403, 'AccessDenied', 'it does not allow writing there (AccessDenied)'],
    [404, 'NoSuchBucket', 'there is no such bucket'],
    [507, 'XMinioStorageFull', 'it has no space left (XMinioStorageFull)'],
  ] as const)('gives up at once after %i %s half-way, and takes its parts back', async (status, code, message) => {
    server.fault = ({ verb, part }) => (verb === 'part' && part === 3 ? [status, code] : undefined)
    expect(await put()).toMatchObject({ kind: 'refused', message })
    expect(await server.uploads()).toEqual([])
    expect(count('abort')).toBe(1)
  })

  it('is content with the checked requests where the credentials may only write', async () => {
    server.fault = ({ verb }) => (verb === 'head' ? [403, 'AccessDenied'] : undefined)
    expect(await put()).toMatchObject({ verified: 'md5' })
  })

  it('does not believe an object of another length or digest', async () => {
    server.etag = () => '"of-another-kind"'
    server.length = 2
    expect(await put({}, Buffer.from('x'))).toMatchObject({ kind: 'given_up', message: 'it holds 2 bytes of 1, each of 3 times' })
    server.length = null
    expect(await put({}, Buffer.from('x'))).toMatchObject({ verified: 'size' })
    server.etag = () => `"${'0'.repeat(32)}"`
    expect(await put({}, Buffer.from('x'))).toMatchObject({ kind: 'given_up', message: expect.stringContaining('ETag') })
  })

  it('makes no connection to an address that is not public', async () => {
    const strict = createReach({ hosts: null, networks: [] })
    for (const host of ['127.0.0.1', 'localhost', '[::1]', 's3.localhost', '2130706433']) {
      const destination = { ...optionsFor(server).destination, endpoint: `http://${host}:${server.port}` }
      expect(await put({ reach: strict, destination }), host).toMatchObject({ kind: 'refused' })
    }
    expect(server.requests).toEqual([])
  })
})
