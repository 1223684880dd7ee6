/** All files of an export in one zip archive, put together while it is sent. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Job, StoredFile } from '../job/job.ts'
import type { Storage } from '../storage/storage.ts'
import { attachment } from './content-disposition.ts'
import { hasAlready } from './range.ts'
import { type ZipEntry, zip, zipLength } from './zip.ts'

/** Bytes of these would not get smaller. */
const PACKED_ALREADY = /\.(gz|zst|parquet|xlsx)$/

/** `job` is offered. Ranges are not: what is made on the way cannot be entered in its middle. */
export async function sendArchive(
  request: FastifyRequest,
  reply: FastifyReply,
  { job, name, storage }: { job: Job; name: string; storage: Storage },
): Promise<FastifyReply> {
  const etag = archiveTag(job.files)
  reply.headers({
    'accept-ranges': 'none',
    'cache-control': 'private, max-age=0, must-revalidate',
    'content-disposition': attachment(name),
    etag,
  })
  if (hasAlready(request.headers['if-none-match'], etag)) return reply.code(304).send()
  reply.type('application/zip')
  const modifiedAt = job.completedAt ?? job.createdAt
  const entries = job.files.map((file) => entryOf(file, modifiedAt, storage))
  const length = zipLength(entries)
  if (length !== null) reply.header('content-length', length)
  if (request.method === 'HEAD') return reply.send()
  return reply.send(Readable.from(zip(entries), { objectMode: false }))
}

function entryOf({ key, name, bytes }: StoredFile, modifiedAt: Date, storage: Storage): ZipEntry {
  return {
    name,
    bytes,
    modifiedAt,
    method: PACKED_ALREADY.test(name) ? 'stored' : 'deflated',
    open: () => storage.read(key),
  }
}

/** Weak: the same files may be packed in other bytes by another version. */
function archiveTag(files: readonly StoredFile[]): string {
  const hash = createHash('sha256')
  for (const { name, sha256 } of files) hash.update(`${name}\n${sha256}\n`)
  return `W/"${hash.digest('base64url')}"`
}
