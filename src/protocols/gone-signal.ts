/** For answers that wait: whether there still is someone to answer. */
import type { FastifyReply } from 'fastify'

/** Aborts when the connection is closed before the answer was sent. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  if (reply.raw.destroyed) gone.abort()
  return gone.signal
}
