/**
 * Delivery to a bucket of S3 or of a server that speaks its protocol. An object is whole or absent by S3's own promise: small files
 * go in one request, larger ones in parts that only `CompleteMultipartUpload` makes an object of.
 *
 * Every request carries the MD5 of its body, which the server checks; the object's ETag must then be the one that follows from them.
 */
import { createHash } from 'node:crypto'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { S3Client } from '@aws-sdk/client-s3'
import type { S3Credentials, S3Destination } from '../job/destination.ts'
import type { Arrival, Delivery, OutgoingFile, Patience, Watch } from './delivery.ts'
import { DeliveryFault } from './delivery.ts'
import { loadPackage } from './optional-package.ts'
import { insist } from './patience.ts'
import type { Reach } from './reach.ts'
import { s3Fault } from './s3-faults.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

export interface S3DeliveryOptions {
  readonly destination: S3Destination
  readonly credentials: S3Credentials
  /** Folder of this export, below the destination's. */
  readonly folder: string
  readonly reach: Reach
  readonly patience: Patience
  /** Default 5 MiB, the least that S3 takes; larger for files that would need more than 10,000 parts. */
  readonly partBytes?: number
}

const PART_BYTES = 5 * 1024 * 1024
const MOST_PARTS = 10_000
/** With two the next part is read while one is on its way; more would only take memory. */
const PARTS_AT_ONCE = 2
/** For taking back what was begun. Shorter than a stopped run's thread is given to end. */
const CLEAN_UP_MS = 1_200

export function createS3Delivery(options: S3DeliveryOptions): Delivery {
  return new S3Delivery(options)
}

/** The object's name and what is expected of it once it stands there. */
interface Target {
  readonly Bucket: string
  readonly Key: string
}

interface Part {
  readonly PartNumber: number
  readonly ETag: string
  readonly md5: Buffer
}

class S3Delivery implements Delivery {
  readonly place: string
  readonly #options: S3DeliveryOptions
  readonly #prefix: string
  #session: Promise<{ sdk: Sdk; client: S3Client; end: () => void }> | null = null

  constructor(options: S3DeliveryOptions) {
    this.#options = options
    const { bucket, folder } = options.destination
    this.#prefix = [folder, options.folder].filter((segment) => segment !== '').join('/')
    this.place = `s3://${bucket}/${this.#prefix}`
  }

  put(file: OutgoingFile, signal: AbortSignal, alive: () => void): Promise<Arrival> {
    // Requests are tried again one by one; the file as a whole only when it arrived and is not what was sent.
    const watch = { signal, alive }
    return insist(() => this.#copy(file, watch), this.#options.patience, watch)
  }

  async #copy(file: OutgoingFile, watch: Watch): Promise<Arrival> {
    const target = { Bucket: this.#options.destination.bucket, Key: `${this.#prefix}/${file.name}`.replace(/^\//, '') }
    const isSmall = file.bytes <= (this.#options.partBytes ?? PART_BYTES)
    const expected = isSmall ? await this.#putWhole(file, target, watch) : await this.#putParts(file, target, watch)
    watch.alive()
    return { name: file.name, bytes: file.bytes, verified: await this.#verify(file, target, expected, watch) }
  }

  async close(): Promise<void> {
    const session = this.#session
    this.#session = null
    ;(await session?.catch(() => null))?.end()
  }

  /** Resolves with the ETag that the object must have. */
  async #putWhole(file: OutgoingFile, target: Target, watch: Watch): Promise<string> {
    const body = await bytesOf(await file.read(), file.bytes)
    const md5 = createHash('md5').update(body).digest()
    const input = { ...target, Body: body, ContentLength: body.length, ContentMD5: md5.toString('base64') }
    await this.#ask(watch, ({ sdk, client }) =>
      client.send(new sdk.PutObjectCommand({ ...input, ContentType: file.mediaType }), { abortSignal: watch.signal }),
    )
    return md5.toString('hex')
  }

  async #putParts(file: OutgoingFile, target: Target, watch: Watch): Promise<string> {
    const { UploadId } = await this.#ask(watch, ({ sdk, client }) =>
      client.send(new sdk.CreateMultipartUploadCommand({ ...target, ContentType: file.mediaType }), {
        abortSignal: watch.signal,
      }),
    )
    const upload = { ...target, UploadId }
    try {
      const parts = await this.#sendParts(file, upload, watch)
      const digests = Buffer.concat(parts.map(({ md5 }) => md5))
      const etag = `${createHash('md5').update(digests).digest('hex')}-${parts.length}`
      const MultipartUpload = { Parts: parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) }
      await this.#ask(watch, async ({ sdk, client }) => {
        try {
          const completing = new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload })
          await client.send(completing, { abortSignal: watch.signal })
        } catch (thrown) {
          // The answer to this or an earlier try may have been lost: then the upload is gone because it is an object.
          if ((await this.#etag(target, watch.signal)) !== etag) throw thrown
        }
      })
      return etag
    } catch (thrown) {
      await this.#takeBack(upload)
      throw thrown
    }
  }

  /** Rejects only when no request of this upload is under way any more: a part that arrives after the abort would stay, unseen and paid for. */
  async #sendParts(file: OutgoingFile, upload: Target & { UploadId: string | undefined }, watch: Watch): Promise<Part[]> {
    const size = Math.max(this.#options.partBytes ?? PART_BYTES, Math.ceil(file.bytes / MOST_PARTS))
    const count = Math.ceil(file.bytes / size)
    const parts: Part[] = []
    const failed = new AbortController()
    const either = AbortSignal.any([watch.signal, failed.signal])
    let next = 1
    const sendSome = async (): Promise<void> => {
      while (next <= count && !either.aborted) {
        const number = next++
        const start = (number - 1) * size
        const end = Math.min(file.bytes, start + size) - 1
        parts[number - 1] = await this.#sendPart(file, upload, number, { start, end }, { watch, either })
        watch.alive()
      }
    }
    const senders = Array.from({ length: PARTS_AT_ONCE }, () =>
      sendSome().catch((thrown: unknown) => {
        if (!failed.signal.aborted) failed.abort(thrown)
      }),
    )
    await Promise.all(senders)
    watch.signal.throwIfAborted()
    failed.signal.throwIfAborted()
    return parts
  }

  async #sendPart(
    file: OutgoingFile,
    upload: Target & { UploadId: string | undefined },
    number: number,
    range: { start: number; end: number },
    { watch, either }: { watch: Watch; either: AbortSignal },
  ): Promise<Part> {
    const body = await bytesOf(await file.read(range), range.end - range.start + 1)
    const md5 = createHash('md5').update(body).digest()
    const input = { ...upload, PartNumber: number, Body: body, ContentLength: body.length, ContentMD5: md5.toString('base64') }
    // Where another part has failed this one is not tried again, but neither cut off: the server would go on storing it.
    const { ETag } = await this.#ask({ ...watch, signal: either }, ({ sdk, client }) =>
      client.send(new sdk.UploadPartCommand(input), { abortSignal: watch.signal }),
    )
    return { PartNumber: number, ETag: ETag ?? `"${md5.toString('hex')}"`, md5 }
  }

  /** An upload that is neither completed nor aborted is kept, and paid for, by the bucket's owner. */
  async #takeBack(upload: Target & { UploadId: string | undefined }): Promise<void> {
    try {
      const { sdk, client } = await this.#open()
      await client.send(new sdk.AbortMultipartUploadCommand(upload), { abortSignal: AbortSignal.timeout(CLEAN_UP_MS) })
    } catch {
      // The server that failed us may not answer this either; the fault that led here is the one to tell.
    }
  }

  /** Of the object as it stands there now. */
  async #verify(file: OutgoingFile, target: Target, expected: string, watch: Watch): Promise<Arrival['verified']> {
    const head = await this.#ask(watch, async ({ sdk, client }) => {
      try {
        return await client.send(new sdk.HeadObjectCommand(target), { abortSignal: watch.signal })
      } catch (thrown) {
        // Credentials that may only write: every request's MD5 was checked by the server, so the bytes are known to be there.
        if (statusOf(thrown) === 403) return null
        throw thrown
      }
    })
    if (head === null) return 'md5'
    if (head.ContentLength !== file.bytes) {
      throw new DeliveryFault('passing', `it holds ${head.ContentLength ?? 'an unknown number of'} bytes of ${file.bytes}`)
    }
    const etag = unquoted(head.ETag)
    if (etag === expected) return 'md5'
    // Under keys of KMS or the customer's own an ETag is no MD5, and other servers have their own kind.
    const isPlain = !/^aws:kms/.test(head.ServerSideEncryption ?? '') && head.SSECustomerAlgorithm === undefined
    if (isPlain && /^[0-9a-f]{32}(?:-\d+)?$/.test(etag) && etag.includes('-') === expected.includes('-')) {
      throw new DeliveryFault('passing', 'what it holds is not what was sent (its ETag differs)')
    }
    return 'size'
  }

  async #etag(target: Target, signal: AbortSignal): Promise<string | null> {
    const { sdk, client } = await this.#open()
    const head = await client.send(new sdk.HeadObjectCommand(target), { abortSignal: signal }).catch(() => null)
    return head && unquoted(head.ETag)
  }

  /** One request, tried until it succeeds or is given up. */
  #ask<Result>(watch: Watch, request: (session: { sdk: Sdk; client: S3Client }) => Promise<Result>): Promise<Result> {
    const { credentials, patience } = this.#options
    const once = async (): Promise<Result> => {
      const session = await this.#open()
      try {
        return await request(session)
      } catch (thrown) {
        throw thrown instanceof DeliveryFault ? thrown : s3Fault(thrown, Object.values(credentials))
      }
    }
    return insist(once, patience, watch)
  }

  #open(): Promise<{ sdk: Sdk; client: S3Client; end: () => void }> {
    this.#session ??= connect(this.#options)
    return this.#session
  }
}

async function connect({ destination, credentials, reach, patience }: S3DeliveryOptions) {
  const { region, endpoint, bucket } = destination
  // A name is judged when it is looked up; an address in its place is never looked up.
  reach.assertHost(endpoint === null ? `${bucket}.s3.${region}.amazonaws.com` : new URL(endpoint).hostname)
  const sdk = await loadPackage('@aws-sdk/client-s3', () => import('@aws-sdk/client-s3'))
  const agents = { keepAlive: true, lookup: reach.lookup }
  const httpsAgent = new HttpsAgent(agents)
  const httpAgent = new HttpAgent(agents)
  const client = new sdk.S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    credentials: { accessKeyId: credentials.accessKey, secretAccessKey: credentials.secretKey },
    // Tries are counted here, so that each can be stopped.
    maxAttempts: 1,
    // Other servers do not know the newer checksums; every body carries its MD5.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { httpsAgent, httpAgent, connectionTimeout: patience.silenceMs, socketTimeout: patience.silenceMs },
  })
  const end = (): void => {
    client.destroy()
    httpsAgent.destroy()
    httpAgent.destroy()
  }
  return { sdk, client, end }
}

async function bytesOf(body: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  for await (const chunk of body) {
    if (filled + chunk.length <= length) bytes.set(chunk, filled)
    filled += chunk.length
  }
  if (filled === length) return bytes
  throw new DeliveryFault('refused', `the stored file has ${filled} bytes where ${length} were expected`)
}

function statusOf(thrown: unknown): number | undefined {
  return (thrown as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode
}

function unquoted(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '')
}
