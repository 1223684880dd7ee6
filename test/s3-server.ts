/**
 * A real S3 test server on a real folder, behind a proxy that has the faults of such servers and of the way to them. The proxy also speaks
 * AbortMultipartUpload, which the server behind does not know.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

interface S3rver {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}
type S3rverClass = new (options: Record<string, unknown>) => S3rver

export const BUCKET = 'exports'
export const S3_KEYS = { accessKey: 'S3RVER', secretKey: 'S3RVER' }

/** What a request asks for, as the proxy sees it. */
interface S3Request {
  readonly verb: 'put' | 'create' | 'part' | 'complete' | 'abort' | 'head' | 'other'
  readonly key: string
  readonly part: number
  /** Of this verb, from 1. */
  readonly count: number
}

/**
 * - `drop`: the connection breaks off before the request is passed on. `dropAnswer`: after it was done.
 * - `hang`: no answer. A number: answered with this status, and with `code` where the second member is given.
 */
type S3Fault = 'drop' | 'dropAnswer' | 'hang' | readonly [status: number, code: string] | undefined

export interface S3Site {
  readonly port: number
  fault: (request: S3Request) => S3Fault
  /** Changes the ETag that the server answers HEAD with. */
  etag: (etag: string) => string
  /** What it answers HEAD with as the object's length; null: the truth. */
  length: number | null
  readonly requests: S3Request[]
  objects(): Promise<ReadonlyMap<string, Buffer>>
  /** Multipart uploads that are neither completed nor aborted. */
  uploads(): Promise<readonly string[]>
  stop(): Promise<void>
}

/** Serves `folder`, which the caller makes and removes. */
export async function startS3Server(folder: string): Promise<S3Site> {
  const S3rverClass = createRequire(import.meta.url)('@20minutes/s3rver') as S3rverClass
  const s3rver = new S3rverClass({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: BUCKET }],
  })
  const { port: behind } = await s3rver.run()
  const counts = new Map<string, number>()
  const uploadsFolder = join(folder, BUCKET, '._S3rver_uploads')

  const proxy = createServer((incoming, outgoing) => {
    const seen = read(incoming, counts)
    site.requests.push(seen)
    const fault = site.fault(seen)
    incoming.on('error', () => {})
    if (fault === 'drop') incoming.socket.destroy()
    else if (fault === 'hang') incoming.resume()
    else if (Array.isArray(fault)) refuse(incoming, outgoing, fault as [number, string])
    else if (seen.verb === 'abort') {
      const upload = new URL(incoming.url ?? '/', 'http://s3').searchParams.get('uploadId') ?? ''
      const gone = rm(join(uploadsFolder, upload), { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
      void gone.finally(() => outgoing.writeHead(204).end())
    } else pass(incoming, outgoing, { behind, seen, isLost: fault === 'dropAnswer', site })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  let stopped = false
  const site: S3Site = {
    port: (proxy.address() as AddressInfo).port,
    fault: () => undefined,
    etag: (etag) => etag,
    length: null,
    requests: [],
    objects: () => objectsOf(join(folder, BUCKET)),
    uploads: () => readdir(uploadsFolder).catch(() => []),
    async stop() {
      if (stopped) return
      stopped = true
      await closed(proxy)
      await s3rver.close()
    },
  }
  return site
}

function read(incoming: IncomingMessage, counts: Map<string, number>): S3Request {
  const url = new URL(incoming.url ?? '/', 'http://s3')
  const key = decodeURIComponent(url.pathname).replace(`/${BUCKET}/`, '')
  const verb = verbOf(incoming.method ?? '', url.searchParams)
  const count = (counts.get(verb) ?? 0) + 1
  counts.set(verb, count)
  return { verb, key, part: Number(url.searchParams.get('partNumber') ?? 0), count }
}

function verbOf(method: string, query: URLSearchParams): S3Request['verb'] {
  if (method === 'PUT') return query.has('partNumber') ? 'part' : 'put'
  if (method === 'POST' && query.has('uploads')) return 'create'
  if (method === 'POST' && query.has('uploadId')) return 'complete'
  if (method === 'DELETE' && query.has('uploadId')) return 'abort'
  return method === 'HEAD' ? 'head' : 'other'
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, [status, code]: readonly [number, string]): void {
  incoming.resume()
  incoming.once('end', () => {
    outgoing.writeHead(status, { 'content-type': 'application/xml' })
    outgoing.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test says</Message></Error>`)
  })
}

function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: { behind: number; seen: S3Request; isLost: boolean; site: Pick<S3Site, 'etag' | 'length'> },
): void {
  const { method, url, headers } = incoming
  const onward = request({ host: '127.0.0.1', port: options.behind, method, path: url, headers }, (answer) => {
    if (options.isLost) {
      answer.resume()
      answer.once('end', () => incoming.socket.destroy())
      return
    }
    const etag = answer.headers.etag
    const { site, seen } = options
    const length = site.length === null ? {} : { 'content-length': String(site.length) }
    const changed = seen.verb === 'head' && etag ? { etag: site.etag(etag), ...length } : {}
    outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...changed })
    answer.pipe(outgoing)
  })
  onward.on('error', () => incoming.socket.destroy())
  // A caller that leaves within its request: the server behind would wait for the rest, and never close.
  incoming.once('close', () => {
    if (!incoming.complete) onward.destroy()
  })
  incoming.pipe(onward)
}

async function objectsOf(folder: string): Promise<Map<string, Buffer>> {
  const suffix = '._S3rver_object'
  const objects = new Map<string, Buffer>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(suffix)) continue
    const path = join(entry.parentPath, entry.name)
    objects.set(path.slice(folder.length + 1, -suffix.length), await readFile(path))
  }
  return objects
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
