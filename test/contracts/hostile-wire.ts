/**
 * What a wire protocol must survive: hostile HTTP, bodies, ids and credentials, each answered in the protocol's own error form, and nothing
 * stored of what was refused. `describeHostileWire` is called once by each protocol; what only that protocol can be sent it adds itself.
 */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKey } from '../../src/access/keys.ts'
import type { ProtocolSite, WireAnswer, WireRequest } from '../protocol-site.ts'
import { jobId } from './sample-job.ts'

export interface HostileWire {
  open(): Promise<ProtocolSite>
  /** A request that is accepted. */
  readonly create: { readonly path: string; readonly body: Readonly<Record<string, unknown>> }
  /** Another request that is accepted, where the first cannot be sent twice. */
  another?(number: number): unknown
  /** Where the caller says which resource: one that is not for them does not exist. */
  readonly namesResource?: boolean
  /** Where exports of every resource are shown. */
  readonly showsAll?: boolean
  /** The address of an export. */
  read(id: string): string
  /** What the wire wants with every request, beside credentials. */
  readonly headers?: Readonly<Record<string, string>>
  /** The media type of a create's body; default `application/json`. */
  readonly mediaType?: string
  /** Statuses where the wire has its own: of a body whose values are wrong, and of one that is too large. */
  readonly statuses: {
    readonly invalid: number
    readonly tooLarge: number
    /** Of numbers and text that cannot be kept as they are; default `invalid`. */
    readonly unfit?: number
  }
  /** The protocol's error form, strictly. `status` is what HTTP says. */
  expectRefusal(answer: Pick<WireAnswer, 'status' | 'text'>): void
  /** Bodies with a wrong value that only this protocol has. */
  readonly wrongBodies: readonly (readonly [what: string, body: unknown])[]
  /** Bodies that look hostile and are plain values. */
  readonly plainBodies?: readonly (readonly [what: string, body: unknown])[]
  /** Members that only the server sets. */
  readonly readOnly: readonly string[]
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

export function describeHostileWire(name: string, wire: HostileWire): void {
  describe(`${name} meets`, () => {
    let site: ProtocolSite
    let before = 0
    beforeAll(async () => {
      site = await wire.open()
      await post(wire.create.body)
      before = (await site.stored()).length
    })
    afterAll(async () => {
      await site.close()
    })

    const type = wire.mediaType ?? 'application/json'
    const refused = (answer: WireAnswer, ...statuses: number[]): void => {
      expect(statuses).toContain(answer.status)
      wire.expectRefusal(answer)
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.text).not.toMatch(/node_modules|\/tmp\/|\.ts:|FST_|SQLITE|select |at Object/i)
    }
    const ask = (path: string, request: WireRequest = {}) =>
      site.ask(path, { ...request, headers: { ...wire.headers, ...request.headers } })
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      ask(wire.create.path, { method: 'POST', body, headers: { 'content-type': type, ...headers } })
    const raw = async (bytes: string): Promise<Pick<WireAnswer, 'status' | 'text'>> => {
      const answer = await send(site, bytes)
      return { status: Number(answer.split(' ')[1]), text: answer.split('\r\n\r\n').slice(1).join('\r\n\r\n') }
    }
    const credentials = () => {
      const others = Object.entries(wire.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
      return `Authorization: Bearer ${site.key}\r\nHost: a\r\n${others.join('')}`
    }

    describe('HTTP as it should not be (H)', () => {
      it('a body larger than is taken, announced or sent', async () => {
        refused(await post(JSON.stringify({ ...wire.create.body, x: 'x'.repeat(1_100_000) })), wire.statuses.tooLarge)
        const announced = await raw(
          `POST ${wire.create.path} HTTP/1.1\r\n${credentials()}Content-Type: ${type}\r\nContent-Length: 10000000000\r\n\r\n`,
        )
        expect(announced.status).toBe(wire.statuses.tooLarge)
        wire.expectRefusal(announced)
      })

      it.each([
        [
          'two ways to tell the length',
          (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
          400,
        ],
        [
          'two lengths',
          (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
          400,
        ],
        ['17 KiB of headers', (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
        [
          '2,000 headers',
          (path: string) =>
            `GET ${path} HTTP/1.1\r\nHost: a\r\n${Array.from({ length: 2_000 }, (_, n) => `x-${n}: y\r\n`).join('')}\r\n`,
          431,
        ],
        ['100 KiB of address', (path: string) => `GET ${path}/${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
        ['an unknown method', (path: string) => `FOO ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, 405],
        ['TRACE', (path: string) => `TRACE ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, 405],
        ['two Hosts', (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`, 400],
        ['an expectation', (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n`, 417],
        ['NUL in a header', (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n`, 400],
        ['a byte beyond ASCII in a header', (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-A: \xe9\r\n\r\n`, 400],
      ] as const)('%s', async (_what, bytes, status) => {
        const answer = await raw(bytes(wire.create.path))
        expect(answer.status).toBe(status)
        wire.expectRefusal(answer)
      })

      it.each([
        ['text/plain', {}],
        ['application/x-www-form-urlencoded', {}],
        ['application/json; charset=utf-16', {}],
        ['', {}],
        ['own', { 'content-encoding': 'gzip' }],
      ] as const)('a body of the type "%s" %j', async (mediaType, headers) => {
        const given = mediaType === 'own' ? type : mediaType
        refused(await post(JSON.stringify(wire.create.body), { 'content-type': given, ...headers }), 415)
      })

      it('another method, and one that only a header asks for', async () => {
        const put = await ask(wire.create.path, { method: 'PUT', body: wire.create.body, headers: { 'content-type': type } })
        refused(put, 405)
        expect(put.headers.get('allow')).toContain('POST')
        const id = (await site.given({ number: 7_000, status: 'pending', resource: 'nothing' })).id
        before += 1
        const overridden = await ask(wire.read(id), { headers: { 'x-http-method-override': 'DELETE' } })
        if (wire.showsAll) expect(overridden.status).toBe(200)
        else refused(overridden, 404)
      })

      it('preferences that make no sense change nothing', async () => {
        const headers = { accept: '*/*;q=0', 'accept-language': '../../etc', prefer: 'wait=-1, handling=strict, foo' }
        const { status } = await ask(wire.read(jobId(1)), { headers: { ...headers, 'accept-language': 'en-US' } })
        // A wire with a media type of its own may take the caller at its word.
        expect([404, 406]).toContain(status)
      })

      it.each(['/..%2f..%2fadmin', '/%00', ';x=1', '/%c0%ae', '/%zz', '/../../etc/passwd', '//'])(
        'the address with %s at its end',
        async (tail) => {
          const answer = await raw(`GET ${wire.create.path}${tail} HTTP/1.1\r\n${credentials()}Connection: close\r\n\r\n`)
          expect([400, 404]).toContain(answer.status)
        },
      )

      it('other origins are let in nowhere', async () => {
        const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
        for (const method of ['OPTIONS', 'GET']) {
          const answer = await ask(wire.read(jobId(1)), { method, headers })
          expect(answer.headers.get('access-control-allow-origin')).toBeNull()
        }
      })
    })

    describe('bodies as they should not be (J)', () => {
      it.each([
        ['nothing', ''],
        ['null', 'null'],
        ['a list', '[]'],
        ['a text', '"x"'],
        ['a number', '1'],
        ['a truncated document', '{"a":'],
        ['a trailing comma', '{"a":1,}'],
        ['two documents', '{}{}'],
        ['a byte order mark', '\ufeff{}'],
        ['100,000 levels', nested(100_000)],
        ['100,000 levels in a member', `{"filter":${nested(100_000)}}`],
        ['a key given twice', '{"filter":{},"filter":{}}'],
        ['__proto__', '{"__proto__":{"isAdmin":true}}'],
        ['constructor', '{"constructor":{"prototype":{"x":1}}}'],
        ['a number in another notation', '{"a":0x10}'],
        ['NaN', '{"a":NaN}'],
        ['1e400', '{"a":1e400}'],
        ['NUL', '{"a":"\\u0000"}'],
        ['half a surrogate pair', '{"a":"\\ud800"}'],
      ])('%s', async (_what, body) => {
        refused(await post(body), 400, wire.statuses.invalid, wire.statuses.unfit ?? wire.statuses.invalid)
        expect('isAdmin' in {}).toBe(false)
      })

      it('bytes that are not UTF-8', async () => {
        const path = wire.create.path
        const answer = await raw(
          `POST ${path} HTTP/1.1\r\n${credentials()}Content-Type: ${type}\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{"a":"\xff"}`,
        )
        expect(answer.status).toBe(400)
        wire.expectRefusal(answer)
      })

      it('names that are unknown, or known in another case', async () => {
        const [known = ''] = Object.keys(wire.create.body)
        for (const name of ['foo', known.toUpperCase(), ` ${known}`, 'x'.repeat(5_000)]) {
          if (name === known) continue
          const answer = await post({ ...wire.create.body, [name]: wire.create.body[known] ?? 1 })
          refused(answer, wire.statuses.invalid)
          expect(answer.text.length).toBeLessThan(4_000)
        }
      })

      it.each(wire.readOnly)('%s, which only the server sets', async (name) => {
        refused(await post({ ...wire.create.body, [name]: 'x' }), wire.statuses.invalid)
      })

      it.each(wire.wrongBodies)('a wrong body: %s', async (_what, body) => {
        refused(await post(body), wire.statuses.invalid)
      })
    })

    describe('ids and credentials as they should not be (I)', () => {
      it.each([
        '42',
        '0',
        '-1',
        '1e3',
        'x',
        '%7B0%7D',
        '00000000-0000-0000-0000-000000000000',
        'x'.repeat(90),
        "1'%20or%20'1'='1",
      ])('the id %s', async (id) => refused(await ask(wire.read(id)), 404, 400))

      it('an id of 5 KiB', async () => refused(await ask(wire.read('x'.repeat(5_000))), 404, 400))

      it('no credentials, or wrong ones', async () => {
        const wrong = [
          { authorization: '' },
          { authorization: 'Bearer' },
          { authorization: 'Bearer  x' },
          { authorization: 'Basic YTpi' },
          { authorization: `Bearer ${site.key.slice(0, -1)}` },
          { authorization: `Bearer ${site.key.toUpperCase()}` },
          { authorization: `Bearer ${site.key}x` },
          { 'x-api-key': 'x' },
        ]
        for (const headers of wrong) {
          const answer = await ask(wire.read(jobId(1)), { headers })
          refused(answer, 401)
          expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
        }
        refused(await ask(`${wire.read(jobId(1))}?api_key=${site.key}`, { headers: { authorization: '' } }), 401)
        const twice = await raw(
          `GET ${wire.create.path} HTTP/1.1\r\n${credentials()}Authorization: Bearer ${site.key}\r\nConnection: close\r\n\r\n`,
        )
        expect([401, 405]).toContain(twice.status)
      })
    })

    it('a key that may only read creates nothing, and one that may only write reads nothing', async () => {
      const headers = async (scopes: string[]) => {
        const { secret } = await createKey(site.store, { tenant: 'acme', name: 'narrow', mode: 'live', scopes }, site.clock.now)
        return { authorization: `Bearer ${secret}` }
      }
      const reading = await headers(['exports:read'])
      refused(await post(wire.create.body, reading), 403)
      refused(await ask(wire.read(jobId(1)), { headers: reading }), 404)
      refused(await ask(wire.read(jobId(1)), { headers: await headers(['exports:write']) }), 403)
      refused(await ask(wire.read(jobId(1)), { headers: await headers([]) }), 403)
      const elsewhere = await headers(['exports:read:nothing', 'exports:write:nothing'])
      refused(await post(wire.create.body, elsewhere), wire.namesResource ? (wire.statuses.unfit ?? wire.statuses.invalid) : 403)
    })

    it('stores nothing of what it refuses, and still answers', async () => {
      expect(await site.stored()).toHaveLength(before)
      const { status } = await post(wire.another?.(1) ?? wire.create.body)
      expect([201, 202]).toContain(status)
      for (const [what, body] of wire.plainBodies ?? []) expect([what, (await post(body)).status]).toEqual([what, status])
    })
  })
}

function send(site: ProtocolSite, bytes: string): Promise<string> {
  const { hostname, port } = new URL(site.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      // A server that keeps the connection has said all there is to one request.
      if (answer.includes('\r\n\r\n') && !/connection: close/i.test(answer)) socket.end()
    })
    socket.once('close', () => resolve(answer))
    socket.once('error', reject)
    socket.write(Buffer.from(bytes, 'latin1'))
  })
}
