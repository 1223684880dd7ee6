/** A receiver of webhooks on a port of its own, which answers as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The bytes as they came. */
  readonly body: Buffer
  /** Milliseconds, when the last of them was there. */
  readonly at: number
  /** Of the connection it came over. */
  readonly socket: Socket
}

export interface Receiver {
  readonly url: string
  /** In the order in which they came. */
  readonly received: readonly Received[]
  /** 200 unless set. */
  answer: (received: Received, response: ServerResponse) => void
  /** Connections that were made at all. */
  connections(): number
  close(): Promise<void>
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}) =>
  (_received: Received, response: ServerResponse): void => {
    response.writeHead(code, headers).end()
  }

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      // Broken off by whoever sent it.
      return
    }
    const { url = '', headers, socket } = request
    const whole = { path: url, headers, body: Buffer.concat(chunks), at: Date.now(), socket }
    received.push(whole)
    receiver.answer(whole, response)
  })
  server.on('connection', (socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: status(200),
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return receiver
}
