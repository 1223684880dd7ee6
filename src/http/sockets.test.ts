/** What only a real connection shows: bytes that no client library would send. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completedExport, type HttpSite, linkTo, openHttpSite, portOf } from '../../test/http-site.ts'

let site: HttpSite
let port: number

beforeAll(async () => {
  site = await openHttpSite()
  await site.app.listen({ host: '127.0.0.1', port: 0 })
  port = portOf(site.app)
})
afterAll(() => site.close())

interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
  /** Everything, for what comes after a first answer. */
  readonly text: string
  readonly closed: boolean
}

async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Sends the bytes as they are and reads until the server closes or is silent for `silenceMs`. */
async function send(bytes: string | Buffer, silenceMs = 150): Promise<RawAnswer> {
  const socket = await open()
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  const answer = await receive(socket, silenceMs)
  socket.destroy()
  return answer
}

async function receive(socket: Socket, silenceMs = 150): Promise<RawAnswer> {
  const chunks: Buffer[] = []
  const closed = await new Promise<boolean>((resolve) => {
    let timer = setTimeout(() => resolve(false), 5_000)
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      clearTimeout(timer)
      timer = setTimeout(() => resolve(false), silenceMs)
    })
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(true)
    })
    socket.once('end', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
  const text = Buffer.concat(chunks).toString()
  const [head = '', body = ''] = text.split(/\r\n\r\n([\s\S]*)/)
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body, text, closed }
}

function expectProblem({ head, body }: RawAnswer): void {
  expect(head).toMatch(/content-type: application\/problem\+json\r/i)
  const problem = JSON.parse(body)
  expect(problem).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/), request_id: expect.any(String) })
  expect(head.toLowerCase()).toContain(`x-request-id: ${problem.request_id}`)
}

const authorized = () => `Host: a\r\nAuthorization: Bearer ${site.key}\r\n`

describe('what could be read as two requests', () => {
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
  it.each([
    ['Content-Length and Transfer-Encoding', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde'],
    ['a list of lengths', 'Content-Length: 4, 4\r\n\r\nabcd'],
    ['a signed length', 'Content-Length: +4\r\n\r\nabcd'],
    ['a hexadecimal length', 'Content-Length: 0x4\r\n\r\nabcd'],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked that is not last', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
    ['chunk lines ended by a bare LF', 'Transfer-Encoding: chunked\r\n\r\n4\nabcd\n0\n\n'],
    ['a chunk size that is none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a folded header', 'X-A: 1\r\n Content-Length: 4\r\n\r\n'],
    ['a bare CR in a header', 'X-A: 1\rX-B: 2\r\n\r\n'],
  ])('%s is 400, and the connection ends there', async (_what, rest) => {
    const answer = await send(`POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${rest}${smuggled}`)
    expect(answer.status).toBe(400)
    expect(answer.text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    expect(answer.closed).toBe(true)
    expect(answer.head).toMatch(/connection: close/i)
    expectProblem(answer)
  })
})

describe('heads that are too large or malformed', () => {
  it.each([
    ['16 KiB of headers', `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
    [
      '2,000 headers',
      `GET / HTTP/1.1\r\nHost: a\r\n${Array.from({ length: 2_000 }, (_, i) => `x-${i}: y\r\n`).join('')}\r\n`,
      431,
    ],
    ['100 KiB of address', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['9 KiB of address', `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['an unknown method', 'FOO /exports HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['an unknown method on an unknown address', 'FOO /nowhere HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['TRACE', 'TRACE /exports HTTP/1.1\r\nHost: a\r\n\r\n', 405],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['NUL in a header', 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n', 400],
    ['a byte beyond ASCII in a header', 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: \xe9\r\n\r\n', 400],
    ['a byte beyond ASCII in the address', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a header without a name', 'GET /healthz HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n', 400],
    ['HTTP/2.0', 'GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['an expectation that nobody knows', 'GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n', 417],
  ])('%s', async (_what, bytes, status) => {
    const answer = await send(bytes)
    expect(answer.status).toBe(status)
    expectProblem(answer)
    if (status === 405) expect(answer.head).toMatch(/allow: .*GET/i)
  })

  it.each([
    ['two Authorization headers', `Host: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n`],
    ['two keys', `Host: a\r\nx-api-key: x\r\nx-api-key: y\r\n`],
  ])('%s are 401', async (_what, headers) => {
    const answer = await send(`GET /exports HTTP/1.1\r\n${headers}\r\n`)
    expect(answer.status).toBe(401)
    expect(answer.head).toMatch(/www-authenticate: Bearer/i)
  })

  it.each(['/exports/%2e%2e', '/exports/..', '/exports/../healthz', '/./healthz', '/exports/%2e%2e%2fhealthz', '*'])(
    'the address %s leads nowhere',
    async (address) => {
      expect([400, 404]).toContain((await send(`GET ${address} HTTP/1.1\r\n${authorized()}\r\n`)).status)
    },
  )

  it('a link with a fragment, a dot segment or in absolute form is not the link that was signed', async () => {
    const link = linkTo(site, await completedExport(site, 1, Buffer.from('id\n1\n')))
    expect((await send(`GET ${link} HTTP/1.1\r\nHost: a\r\n\r\n`)).status).toBe(200)
    for (const altered of [`${link}#x`, link.replace('/downloads/', '/downloads/./'), `http://evil.example${link}`]) {
      expect((await send(`GET ${altered} HTTP/1.1\r\nHost: a\r\n\r\n`)).status).toBe(403)
    }
  })

  it('an upgrade to another protocol is ignored', async () => {
    const answer = await send('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n')
    expect(answer.status).toBe(200)
  })
})

describe('bodies that are too large, too late or announced and not sent', () => {
  const head = () => `POST /exports HTTP/1.1\r\n${authorized()}Content-Type: application/json\r\n`

  it('10 GB announced are refused before they come', async () => {
    const answer = await send(`${head()}Content-Length: 10000000000\r\n\r\n`)
    expect(answer.status).toBe(413)
    expect(answer.closed).toBe(true)
    expectProblem(answer)
  })

  it('an endless chunked body is cut off at the limit', async () => {
    const socket = await open()
    const answered = receive(socket, 300)
    socket.write(`${head()}Transfer-Encoding: chunked\r\n\r\n`)
    const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`
    let sent = 0
    while (!socket.destroyed && socket.writable && sent < 64 * 1024 * 1024) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), sleep(500)]).catch(() => {})
      sent += 65_536
    }
    const answer = await answered
    expect(answer.status).toBe(413)
    expect(answer.closed).toBe(true)
    expect(sent).toBeLessThan(32 * 1024 * 1024)
  })

  it('Expect: 100-continue is met, and the body read', async () => {
    const socket = await open()
    const body = '{"resource":"orders"}'
    socket.write(`${head()}Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`)
    const [first] = await once(socket, 'data')
    expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write(body)
    expect((await receive(socket)).status).toBe(201)
    socket.destroy()
  })

  it('requests sent in a row over one connection are each answered', async () => {
    const one = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'
    const { text } = await send(one.repeat(5))
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(5)
  })
})

describe('callers that send too slowly', () => {
  it('are cut off with 408 while others are served at once', async () => {
    const slow = await openHttpSite()
    await slow.app.listen({ host: '127.0.0.1', port: 0 })
    slow.app.server.headersTimeout = 300
    slow.app.server.requestTimeout = 600
    const slowPort = portOf(slow.app)
    const dribble = async (bytes: string) => {
      const socket = connect(slowPort, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(bytes)
      return receive(socket, 2_000)
    }
    try {
      const waiting = [
        ...Array.from({ length: 200 }, () => dribble('GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ')),
        dribble(
          `POST /exports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${slow.key}\r\nContent-Type: application/json\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n`,
        ),
      ]
      let ended = 0
      for (const each of waiting) void each.then(() => (ended += 1))
      await sleep(50)
      const other = await fetch(`http://127.0.0.1:${slowPort}/healthz`)
      expect(other.status).toBe(200)
      // Not only once the last of them was cut off.
      expect(ended).toBeLessThan(waiting.length)
      for (const answer of await Promise.all(waiting)) {
        expect(answer.closed).toBe(true)
        expect(answer.text).toContain(' 408 ')
      }
    } finally {
      await slow.close()
    }
  })
})

describe('a server that closes', () => {
  it('ends the connection of an answer that was just being sent, and does not wait for its client', async () => {
    const closing = await openHttpSite()
    await closing.app.listen({ host: '127.0.0.1', port: 0 })
    const job = await completedExport(closing, 1, Buffer.from('id\n1\n'))
    const file = await fetch(`http://127.0.0.1:${portOf(closing.app)}${linkTo(closing, job)}`)
    expect(await file.text()).toBe('id\n1\n')
    const began = performance.now()
    await closing.close()
    expect(performance.now() - began).toBeLessThan(15_000)
  })

  it('lets the request in flight finish, ends idle connections and event streams, and takes no new ones', async () => {
    const closing = await openHttpSite()
    await closing.app.listen({ host: '127.0.0.1', port: 0 })
    const closingPort = portOf(closing.app)
    const at = `http://127.0.0.1:${closingPort}`
    const headers = { authorization: `Bearer ${closing.key}`, 'content-type': 'application/json' }
    const created = await fetch(`${at}/exports`, { method: 'POST', headers, body: '{"resource":"orders"}' })
    const { id } = (await created.json()) as { id: string }
    const idle = connect(closingPort, '127.0.0.1')
    idle.on('error', () => {})
    idle.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(idle, 'data')
    const idleClosed = once(idle, 'close')
    idle.resume()
    const stream = await fetch(`${at}/exports/${id}/events`, { headers: { ...headers, accept: 'text/event-stream' } })
    const waiting = fetch(`${at}/exports`, {
      method: 'POST',
      headers: { ...headers, prefer: 'wait=30' },
      body: '{"resource":"orders"}',
    })
    await expect.poll(() => closing.store.pending().then((jobs) => jobs.length)).toBe(2)

    const began = performance.now()
    const closed = closing.close()
    expect((await waiting).status).toBe(201)
    await stream.text()
    await idleClosed
    await closed
    expect(performance.now() - began).toBeLessThan(15_000)
    await expect(fetch(`${at}/healthz`)).rejects.toThrow()
  })

  it('finishes a download in flight, and answers what is asked behind it with 503', async () => {
    const closing = await openHttpSite()
    await closing.app.listen({ host: '127.0.0.1', port: 0 })
    const job = await completedExport(closing, 1, Buffer.alloc(16 * 1024 * 1024, 'x'))
    const socket = connect(portOf(closing.app), '127.0.0.1')
    socket.write(`GET ${linkTo(closing, job)} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await once(socket, 'readable')
    const closed = closing.close()
    await expect.poll(() => closing.app.closing.aborted).toBe(true)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const { text } = await receive(socket, 1_000)
    expect(text.length).toBeGreaterThan(16 * 1024 * 1024)
    const [, second = ''] = text.split(/x(?=HTTP\/1\.1 )/)
    expect(second).toMatch(/^HTTP\/1\.1 503 /)
    expect(second).toMatch(/connection: close/i)
    expect(JSON.parse(second.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'SHUTTING_DOWN' })
    await closed
  })

  it('waits no longer than its grace for a download that does not end', async () => {
    const closing = await openHttpSite({ closeGraceMs: 300 })
    await closing.app.listen({ host: '127.0.0.1', port: 0 })
    const job = await completedExport(closing, 1, Buffer.alloc(32 * 1024 * 1024))
    const socket = connect(portOf(closing.app), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`GET ${linkTo(closing, job)} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await once(socket, 'readable')
    const began = performance.now()
    await closing.close()
    expect(performance.now() - began).toBeLessThan(15_000)
    socket.destroy()
  })
})
