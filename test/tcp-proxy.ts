/** A TCP proxy that breaks: between a client and a server, after so many bytes from the server. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Break = 'fin' | 'rst' | 'black hole'

export interface TcpProxy {
  readonly port: number
  /** From now on, after so many more bytes from the server, the connection they come over breaks. */
  breakAfter(bytes: number, how: Break): void
  /** Resolves when it has broken. */
  broken(): Promise<void>
  /** What comes and goes from now on is passed on again; what was broken stays so. */
  mend(): void
  close(): Promise<void>
}

export async function startProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  let left = Number.POSITIVE_INFINITY
  let how: Break = 'fin'
  let broke = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target)
    let isHole = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (bytes) => {
      if (!isHole) upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (isHole) return
      if (bytes.length < left) {
        left -= bytes.length
        // What the reader does not take, the server must feel.
        if (!client.write(bytes)) upstream.pause()
        return
      }
      client.write(bytes.subarray(0, left))
      left = Number.POSITIVE_INFINITY
      isHole = how === 'black hole'
      if (how === 'fin') {
        client.end()
        upstream.destroy()
      } else if (how === 'rst') {
        client.resetAndDestroy()
        upstream.destroy()
      }
      broke.resolve()
    })
    client.on('drain', () => upstream.resume())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => {
      if (!isHole) client.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return {
    port: address.port,
    breakAfter(bytes, kind) {
      left = Math.max(1, bytes)
      how = kind
      broke = Promise.withResolvers()
    },
    broken: () => broke.promise,
    mend() {
      left = Number.POSITIVE_INFINITY
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
