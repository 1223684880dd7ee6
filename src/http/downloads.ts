/** Signed downloads: the link is the permission, the job says whether there still is a file, storage gives its bytes. */
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ExportsContext } from '../exports/context.ts'
import { assertHolds, linkHolder } from '../exports/link-holder.ts'
import type { LinkedFile } from '../exports/link-signer.ts'
import { FreightError } from '../job/errors.ts'
import { isExpired, type Job, type StoredFile } from '../job/job.ts'
import type { KeyStore, UpkeepStore } from '../store/store.ts'
import { sendArchive } from './archives.ts'
import { attachment } from './content-disposition.ts'
import { protocolProblem } from './problems.ts'
import { type ByteRange, hasAlready, keepsRange, readRange } from './range.ts'

export interface DownloadOptions {
  readonly context: Pick<ExportsContext, 'links' | 'storage' | 'now' | 'store' | 'catalog'>
  readonly jobs: Pick<UpkeepStore, 'find'> & Pick<KeyStore, 'findKey'>
  /** A reader that takes no byte for this long is dropped. */
  readonly stallMs: number
}

export function downloadRoutes(app: FastifyInstance, options: DownloadOptions): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/downloads/*',
    exposeHeadRoute: false,
    schema: { hide: true },
    config: { unlimited: true },
    handler: (request, reply) => download(request, reply, options),
  })
}

async function download(request: FastifyRequest, reply: FastifyReply, options: DownloadOptions): Promise<FastifyReply> {
  const { job, link } = await linkedJob(request, options)
  if (link.index === 'zip') {
    await linkedFile(job, job.files[0]?.name ?? '', 1, options)
    dropStalled(request, options.stallMs)
    if (request.method === 'GET') await recordDownload(request, link, options)
    return sendArchive(request, reply, { job, name: link.name, storage: options.context.storage })
  }
  const file = await linkedFile(job, link.name, link.index, options)
  const etag = `"${file.sha256}"`
  reply.headers({
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=0, must-revalidate',
    'content-disposition': attachment(file.name),
    etag,
  })
  if (hasAlready(request.headers['if-none-match'], etag)) return reply.code(304).send()
  reply.type(file.mediaType)
  // Only GET knows ranges (RFC 9110, section 14.2).
  if (request.method === 'HEAD') return reply.header('content-length', file.bytes).send()

  const wanted = keepsRange(header(request, 'if-range'), etag) ? readRange(request.headers.range, file.bytes) : null
  if (wanted === 'unsatisfiable') return refuseRange(reply, file)
  if (wanted) reply.code(206).header('content-range', `bytes ${wanted.start}-${wanted.end}/${file.bytes}`)
  reply.header('content-length', wanted ? wanted.end - wanted.start + 1 : file.bytes)
  dropStalled(request, options.stallMs)
  const body = await open(file, wanted, options)
  // A download that is resumed, or read in pieces, is one download.
  if (!wanted || wanted.start === 0) await recordDownload(request, link, options)
  return reply.send(body)
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** The link first, on the address as it came, so that nothing about a job is told to someone without one. */
async function linkedJob(request: FastifyRequest, { context, jobs }: DownloadOptions): Promise<{ job: Job; link: LinkedFile }> {
  const now = context.now()
  const link = context.links.verify(request.raw.url ?? '', now)
  const holder = await linkHolder(jobs, link.by)
  const job = await jobs.find(link.jobId)
  if (!job || !isOffered(job, link, now)) throw gone()
  assertHolds(context, holder, job)
  return { job, link }
}

/** Files of a run are offered as soon as each is whole; all together only when the export is completed. */
function isOffered(job: Job, { run, index }: LinkedFile, now: Date): boolean {
  if (job.run !== run) return false
  if (job.status === 'in_progress') return index !== 'zip'
  return job.status === 'completed' && !isExpired(job, now) && job.filesRemovedAt === null
}

async function linkedFile(job: Job, name: string, index: number, { context }: DownloadOptions): Promise<StoredFile> {
  const file = job.files[index - 1]
  if (!file || file.name !== name) throw gone()
  const stored = await context.storage.stat(file.key)
  if (!stored) throw gone()
  if (stored.bytes !== file.bytes) {
    throw new FreightError('INTERNAL', 'The stored file differs from the one that was written; it is not given out.', {
      cause: new Error(`${job.id}, file ${index}: ${stored.bytes} bytes are stored, ${file.bytes} were written`),
    })
  }
  return file
}

/** The file is the caller's by the link already: when the record cannot be kept, the log has it. */
async function recordDownload(request: FastifyRequest, link: LinkedFile, { context }: DownloadOptions): Promise<void> {
  const actor = { by: link.by ?? 'link', from: request.ip }
  try {
    await context.store.addEvent(link.jobId, 'downloaded', context.now(), { file: link.index }, actor)
  } catch (error) {
    request.log.warn({ err: error, job: link.jobId, file: link.index, ...actor }, 'a download could not be recorded')
  }
}

function gone(): FreightError {
  return new FreightError('EXPORT_EXPIRED', 'The file behind this link has expired or was removed. Create the export again.')
}

function refuseRange(reply: FastifyReply, file: StoredFile): FastifyReply {
  reply.removeHeader('content-disposition')
  reply.code(416).header('content-range', `bytes */${file.bytes}`).header('content-type', 'application/problem+json')
  const detail = `The range lies outside the file, which has ${file.bytes} bytes.`
  return reply.send(Buffer.from(JSON.stringify(protocolProblem(416, detail, reply.request.id))))
}

async function open(file: StoredFile, range: ByteRange | null, { context }: DownloadOptions): Promise<Readable> {
  try {
    // Bytes, not objects: the stream then holds at most one chunk beyond its mark when the reader is slow.
    return Readable.from(await context.storage.read(file.key, range ?? undefined), { objectMode: false })
  } catch (error) {
    // The sweeper may come between stat and read.
    throw error instanceof FreightError && error.code === 'NOT_FOUND' ? gone() : error
  }
}

/**
 * Counts while no byte moves. Nobody listens for it, so Node destroys the socket, and with it go the stream and its file handle. A
 * request injected without a network has no such socket.
 */
function dropStalled({ raw: { socket } }: FastifyRequest, stallMs: number): void {
  if (socket instanceof Socket) socket.setTimeout(stallMs)
}
