/** One connection to an SFTP server: connecting, and the protocol's calls as promises that end, whatever the server does. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { SFTPWrapper } from 'ssh2'
import type { SftpCredentials } from '../job/destination.ts'
import { DeliveryFault, type Patience } from './delivery.ts'
import { loadPackage } from './optional-package.ts'
import { within } from './patience.ts'
import type { Reach } from './reach.ts'

/** What every server must take in one packet (draft-ietf-secsh-filexfer-02, section 3). */
const PACKET_BYTES = 32_768

export interface SftpServer {
  readonly host: string
  readonly port: number
  readonly credentials: SftpCredentials
  /** `SHA256:<base64>` of its host key, as `ssh-keygen -lf` prints it; null: any. */
  readonly hostKey: string | null
  readonly reach: Reach
  readonly patience: Patience
}

type Done<Result> = (error: Error | null | undefined, result: Result) => void

export class SftpSession {
  readonly #sftp: SFTPWrapper
  readonly #socket: Socket
  readonly #silenceMs: number
  readonly #end: () => Promise<unknown>
  /** Of the calls that wait for an answer. */
  readonly #waiting = new Set<(reason: Error) => void>()

  private constructor(sftp: SFTPWrapper, socket: Socket, silenceMs: number, end: () => Promise<unknown>) {
    this.#sftp = sftp
    this.#socket = socket
    this.#silenceMs = silenceMs
    this.#end = end
    // The library leaves calls without an answer when the connection goes away under them.
    socket.once('close', () => {
      for (const reject of this.#waiting) reject(new DeliveryFault('passing', 'the connection to it broke off'))
    })
  }

  static async open(server: SftpServer, signal: AbortSignal): Promise<SftpSession> {
    const { silenceMs } = server.patience
    const { default: SftpClient } = await loadPackage('ssh2-sftp-client', () => import('ssh2-sftp-client'))
    const socket = await connectTo(server, signal)
    // Its own listeners print to the terminal; what they tell comes back from the call that it ends.
    const client = new SftpClient('delivery', { error: () => {}, end: () => {}, close: () => {} })
    const { username, password } = server.credentials
    // Servers that ask for the password as a question are given it as the answer.
    client.on('keyboard-interactive', (...[, , , prompts, answer]) => answer(prompts.map(() => password ?? '')))
    const { hostKey } = server
    const connected = client.connect({
      sock: socket,
      username,
      ...(password === null ? {} : { password, tryKeyboard: true }),
      readyTimeout: silenceMs,
      ...(hostKey === null ? {} : { hostVerifier: (key: Buffer) => isKey(key, hostKey) }),
    })
    // Whoever stopped waiting must not leave a rejection that nobody sees.
    connected.catch(() => {})
    try {
      const sftp = await within(connected, silenceMs, signal)
      return new SftpSession(sftp, socket, silenceMs, () => client.end())
    } catch (thrown) {
      socket.destroy()
      throw thrown
    }
  }

  open(path: string, signal: AbortSignal): Promise<Buffer> {
    return this.#call(signal, (done) => this.#sftp.open(path, 'w', done))
  }

  /** Resolves when the server has acknowledged every byte. Packets go out together: waiting for each costs a round trip per 32 KiB. */
  async write(handle: Buffer, bytes: Uint8Array, position: number, signal: AbortSignal): Promise<void> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const packets: Promise<void>[] = []
    for (let at = 0; at < buffer.length; at += PACKET_BYTES) {
      const length = Math.min(PACKET_BYTES, buffer.length - at)
      packets.push(this.#call(signal, (done) => this.#sftp.write(handle, buffer, at, length, position + at, done)))
    }
    await Promise.all(packets)
  }

  closeFile(handle: Buffer, signal: AbortSignal): Promise<void> {
    return this.#call(signal, (done) => this.#sftp.close(handle, done))
  }

  async size(path: string, signal: AbortSignal): Promise<number> {
    const stats = await this.#call(signal, (done: Done<{ size: number }>) => this.#sftp.stat(path, done))
    return stats.size
  }

  rename(from: string, to: string, signal: AbortSignal): Promise<void> {
    return this.#call(signal, (done) => this.#sftp.rename(from, to, done))
  }

  unlink(path: string, signal: AbortSignal): Promise<void> {
    return this.#call(signal, (done) => this.#sftp.unlink(path, done))
  }

  makeFolder(path: string, signal: AbortSignal): Promise<void> {
    return this.#call(signal, (done) => this.#sftp.mkdir(path, done))
  }

  /** Says so and drops the connection; whether the other side answers makes no difference. */
  end(): void {
    this.#end().catch(() => {})
    this.#socket.destroySoon()
  }

  async #call<Result>(signal: AbortSignal, call: (done: Done<Result>) => unknown): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    if (this.#socket.destroyed) throw new DeliveryFault('passing', 'the connection to it broke off')
    this.#waiting.add(reject)
    try {
      call((error, result) => (error ? reject(error) : resolve(result)))
      return await within(promise, this.#silenceMs, signal)
    } finally {
      this.#waiting.delete(reject)
    }
  }
}

async function connectTo({ host, port, reach, patience }: SftpServer, signal: AbortSignal): Promise<Socket> {
  // A name is judged when it is looked up; an address in its place is never looked up.
  reach.assertHost(host)
  // Without delay: each call is a small packet whose answer is waited for.
  const socket = connect({ host, port, lookup: reach.lookup, noDelay: true })
  const { promise: connected, resolve, reject } = Promise.withResolvers<void>()
  connected.catch(() => {})
  socket.once('connect', resolve).on('error', reject)
  try {
    await within(connected, patience.silenceMs, signal)
    return socket
  } catch (thrown) {
    socket.destroy()
    throw thrown
  }
}

function isKey(key: Buffer, expected: string): boolean {
  const actual = createHash('sha256').update(key).digest()
  const wanted = Buffer.from(expected.replace(/^SHA256:/, ''), 'base64')
  return wanted.length === actual.length && timingSafeEqual(wanted, actual)
}
