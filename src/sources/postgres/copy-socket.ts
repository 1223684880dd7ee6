/**
 * A socket that reads into one buffer of its own. An ordinary one allocates 64 KiB per read, and what is not yet collected of that
 * was 40 MB of an export's memory.
 */
import { Socket } from 'node:net'

const READ_BYTES = 256 * 1024

type Reader = (bytes: Buffer) => void

export class CopySocket extends Socket {
  #reader: Reader | null = null

  constructor() {
    super({
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length, buffer) => {
          this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, length))
          return true
        },
      },
    })
  }

  /** The bytes go to `reader`, which must be done with them when it returns; null: to the listeners again, which may keep them. */
  readTo(reader: Reader | null): void {
    this.#reader = reader
  }

  #read(bytes: Buffer): void {
    if (this.#reader) this.#reader(bytes)
    else this.emit('data', Buffer.from(bytes))
  }
}
