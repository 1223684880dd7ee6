/**
 * Writes a file whole or not at all: aside in the same folder, fsync, rename, fsync of the folder. A reader sees the old
 * file or the new one, never a part, also after a crash or a power loss.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FreightError } from '../job/errors.ts'

/** Unfinished writes begin like this; no storage key can. */
export const ASIDE_PREFIX = '.writing-'
/** Small chunks are gathered: a write call per 64 KiB costs more than waiting for the next. */
const GATHER_BYTES = 1024 * 1024

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What the file system says, as STORAGE_FULL or STORAGE_UNAVAILABLE; its own words, with the path, stay in `cause`. */
export function storageFault(thrown: unknown): FreightError {
  if (thrown instanceof FreightError) return thrown
  const code = (thrown as NodeJS.ErrnoException | null)?.code ?? 'unknown fault'
  const message = FULL.has(code)
    ? `There is no space left to write the file (${code}); free some, then start the export again.`
    : `The file could not be written or read (${code}); see the server's log.`
  return new FreightError(FULL.has(code) ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', message, { cause: thrown })
}

/** Only what the disk does is a fault of storage: what `body` throws goes by as it is, whatever its code. */
async function onDisk<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (thrown) {
    throw storageFault(thrown)
  }
}

/**
 * Resolves with the number of bytes, when the file outlives a power loss. Rejects with STORAGE_FULL, STORAGE_UNAVAILABLE,
 * what `body` threw, or the reason of `signal`; then nothing of it is left behind. Until all is on the disk, a file that stood at
 * `path` stays as it was.
 */
export async function writeWhole(path: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const aside = join(dirname(path), `${ASIDE_PREFIX}${randomBytes(6).toString('hex')}-${basename(path).slice(0, 100)}`)
  const file = await onDisk(open(aside, 'wx', 0o600))
  try {
    const bytes = await fill(file, body, signal)
    signal.throwIfAborted()
    await onDisk(rename(aside, path))
    await onDisk(syncFolder(dirname(path)).catch((thrown: unknown) => removeAnd(path, thrown)))
    return bytes
  } catch (thrown) {
    return removeAnd(aside, thrown)
  }
}

/** The first fault is the one to tell. What cannot be removed is found later: `list` gives unfinished writes as well. */
async function removeAnd(path: string, thrown: unknown): Promise<never> {
  await rm(path, { force: true }).catch(() => {})
  throw thrown
}

async function fill(file: FileHandle, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  try {
    const bytes = await writeAll(file, body, signal)
    // A failed fsync may have dropped the pages it could not write, and the next one would report success: it is never tried again.
    await onDisk(file.sync())
    return bytes
  } finally {
    await file.close().catch(() => {})
  }
}

async function writeAll(file: FileHandle, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  let bytes = 0
  let waiting = 0
  const gathered = Buffer.allocUnsafeSlow(GATHER_BYTES)
  for await (const chunk of untilAborted(body, signal)) {
    bytes += chunk.length
    if (waiting + chunk.length <= GATHER_BYTES) {
      gathered.set(chunk, waiting)
      waiting += chunk.length
    } else {
      // Before the next is asked for: the chunk's memory is used again.
      await onDisk(writeChunks(file, [gathered.subarray(0, waiting), chunk]))
      waiting = 0
    }
  }
  await onDisk(writeChunks(file, [gathered.subarray(0, waiting)]))
  return bytes
}

/**
 * Ends with the signal's reason at once, also while `body` is silent. Not by `Promise.race` with one promise for the abort: that
 * promise would keep every chunk that ever won against it until the file is done.
 */
async function* untilAborted(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  let giveUp: (reason: unknown) => void = () => {}
  const onAbort = (): void => giveUp(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let isDone = false
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        giveUp = reject
        chunks.next().then(resolve, reject)
      })
      isDone = next.done ?? false
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a body that hangs would hang its own end too.
    if (!isDone) void chunks.return?.()?.catch(() => {})
  }
}

/** `writev` may write less than it was given: near a full disk, or past 2 GiB. */
async function writeChunks(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let rest = chunks
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest)
    rest = behind(rest, bytesWritten)
  }
}

function behind(chunks: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written
  let index = 0
  for (; index < chunks.length; index++) {
    const length = chunks[index]?.length ?? 0
    if (skip < length) break
    skip -= length
  }
  const rest = chunks.slice(index)
  const [first] = rest
  if (first && skip > 0) rest[0] = first.subarray(skip)
  return rest
}

/** Makes the folder and those above it; what was made is durable. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
