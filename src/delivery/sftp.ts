/**
 * Delivery to an SFTP server. A file is written under a name of its own beside its place, counted, and renamed: whoever lists the
 * folder sees it whole under its name or not at all. The protocol has no digest, so the proof is the number of bytes that the server acknowledged
 * and then says it holds.
 */
import { randomBytes } from 'node:crypto'
import type { SftpCredentials, SftpDestination } from '../job/destination.ts'
import type { Arrival, Delivery, OutgoingFile, Patience } from './delivery.ts'
import { DeliveryFault } from './delivery.ts'
import { insist } from './patience.ts'
import type { Reach } from './reach.ts'
import { GENERAL_FAILURE, isAnswer, sftpFault } from './sftp-faults.ts'
import { SftpSession } from './sftp-session.ts'

export interface SftpDeliveryOptions {
  readonly destination: SftpDestination
  readonly credentials: SftpCredentials
  /** Folder of this export, below the destination's. */
  readonly folder: string
  /** `SHA256:<base64>` of the server's host key; null: any. */
  readonly hostKey: string | null
  readonly reach: Reach
  readonly patience: Patience
}

/** For taking back what was begun. Shorter than a stopped run's thread is given to end. */
const CLEAN_UP_MS = 1_000

export function createSftpDelivery(options: SftpDeliveryOptions): Delivery {
  return new SftpDelivery(options)
}

class SftpDelivery implements Delivery {
  readonly place: string
  readonly #options: SftpDeliveryOptions
  readonly #folder: string
  #session: SftpSession | null = null
  /** Written by tries whose connection broke; removed over the next one. */
  #left = new Set<string>()

  constructor(options: SftpDeliveryOptions) {
    const { host, port, folder } = options.destination
    this.#options = options
    this.#folder = [folder, options.folder].filter((segment) => segment !== '').join('/')
    this.place = `sftp://${host}:${port}${this.#folder.startsWith('/') ? '' : '/'}${this.#folder}`
  }

  put(file: OutgoingFile, signal: AbortSignal, alive: () => void): Promise<Arrival> {
    const { credentials, patience } = this.#options
    const secrets = [credentials.username, credentials.password ?? '']
    const once = async (): Promise<Arrival> => {
      try {
        return await this.#copy(file, signal, alive)
      } catch (thrown) {
        // A connection that failed once is not trusted again.
        await this.close()
        signal.throwIfAborted()
        throw sftpFault(thrown, secrets)
      }
    }
    return insist(once, patience, { signal, alive })
  }

  async close(): Promise<void> {
    const session = this.#session
    this.#session = null
    session?.end()
  }

  async #copy(file: OutgoingFile, signal: AbortSignal, alive: () => void): Promise<Arrival> {
    const session = await this.#connected(signal)
    const path = `${this.#folder}/${file.name}`
    const aside = `${path}.${randomBytes(4).toString('hex')}.part`
    try {
      const written = await fill(session, aside, file, signal, alive)
      const held = await session.size(aside, signal)
      if (held !== file.bytes || written !== file.bytes) {
        throw new DeliveryFault('passing', `it holds ${held} bytes of ${file.bytes}`)
      }
      await takePlace(session, aside, path, signal)
      alive()
    } catch (thrown) {
      this.#left.add(aside)
      await this.#clear(session)
      throw thrown
    }
    return { name: file.name, bytes: file.bytes, verified: 'size' }
  }

  async #connected(signal: AbortSignal): Promise<SftpSession> {
    if (this.#session) return this.#session
    const { destination, credentials, hostKey, reach, patience } = this.#options
    const { host, port } = destination
    const session = await SftpSession.open({ host, port, credentials, hostKey, reach, patience }, signal)
    this.#session = session
    await makeFolders(session, this.#folder, signal)
    await this.#clear(session)
    return session
  }

  async #clear(session: SftpSession): Promise<void> {
    for (const path of this.#left) {
      const gone = await session.unlink(path, AbortSignal.timeout(CLEAN_UP_MS)).then(() => true, isAnswer)
      // Without an answer there is no connection, and nothing more to ask over it.
      if (!gone) return
      this.#left.delete(path)
    }
  }
}

/** Resolves with the number of bytes that the server has acknowledged. */
async function fill(
  session: SftpSession,
  path: string,
  file: OutgoingFile,
  signal: AbortSignal,
  alive: () => void,
): Promise<number> {
  const handle = await session.open(path, signal)
  let position = 0
  for await (const chunk of await file.read()) {
    await session.write(handle, chunk, position, signal)
    position += chunk.length
    alive()
  }
  // Some servers tell only here that the disk was full.
  await session.closeFile(handle, signal)
  return position
}

/** Many servers rename only to a name that is free. What stands there is from an earlier try of the same run. */
async function takePlace(session: SftpSession, aside: string, path: string, signal: AbortSignal): Promise<void> {
  try {
    await session.rename(aside, path, signal)
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== GENERAL_FAILURE) throw thrown
    const isTaken = await session.unlink(path, signal).then(
      () => true,
      () => false,
    )
    if (!isTaken) throw thrown
    await session.rename(aside, path, signal)
  }
}

/** Each level that is missing. Whether one that cannot be made is there already shows when the file is opened in it. */
async function makeFolders(session: SftpSession, folder: string, signal: AbortSignal): Promise<void> {
  const segments = folder.split('/')
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const path = segments.slice(0, depth).join('/')
    if (path === '') continue
    await session.makeFolder(path, signal).catch((thrown: unknown) => {
      if (!isAnswer(thrown)) throw thrown
    })
  }
}
