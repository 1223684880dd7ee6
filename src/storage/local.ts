/** Storage in a folder of the local disk, which belongs to Freight alone. */
import { constants, type Dirent, type Stats } from 'node:fs'
import { lstat, open, opendir, realpath, rm, rmdir } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { FreightError } from '../job/errors.ts'
import type { Storage, StoredObject } from './storage.ts'
import { ASIDE_PREFIX, makeFolder, storageFault, writeWhole } from './whole-file.ts'

export { writeWhole } from './whole-file.ts'

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/
const ASIDE = /^\.writing-[A-Za-z0-9._-]{1,150}$/
const READ_BYTES = 256 * 1024

export function createLocalStorage(directory: string): Storage {
  return new LocalStorage(resolve(directory))
}

class LocalStorage implements Storage {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async put(key: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
    const path = this.locate(key)
    try {
      await makeFolder(dirname(path))
      if (!(await this.#isOwn(path))) throw new Error('a folder of this key is a link')
    } catch (thrown) {
      throw storageFault(thrown)
    }
    return writeWhole(path, body, signal)
  }

  async stat(key: string): Promise<StoredObject | null> {
    const stats = await this.#statFile(this.locate(key))
    return stats && { key, bytes: stats.size, modifiedAt: stats.mtime }
  }

  async read(key: string, range?: { start: number; end: number }): Promise<AsyncIterable<Uint8Array>> {
    const path = this.locate(key)
    if ((await this.#statFile(path)) === null) throw gone()
    return readPieces(path, range)
  }

  async remove(keyOrPrefix: string): Promise<void> {
    const path = join(this.#directory, ...removableSegments(keyOrPrefix))
    try {
      if (!(await this.#isOwn(path))) return
      await rm(path, { recursive: true, force: true })
      await this.#removeEmptyParents(dirname(path))
    } catch (thrown) {
      throw storageFault(thrown)
    }
  }

  list(): AsyncIterable<StoredObject & { readonly whole: boolean }> {
    return walk(this.#directory, this.#directory)
  }

  locate(key: string): string {
    return join(this.#directory, ...segmentsOf(key))
  }

  async check(): Promise<void> {
    const path = join(this.#directory, `${ASIDE_PREFIX}check`)
    try {
      await makeFolder(this.#directory)
      await writeWhole(path, probe(), new AbortController().signal)
      await rm(path, { force: true })
    } catch (cause) {
      throw new FreightError('STORAGE_UNAVAILABLE', "Nothing can be written to storage now; see the server's log.", { cause })
    }
  }

  /** Null for what is no file, or is reached through a link that somebody planted. */
  async #statFile(path: string): Promise<Stats | null> {
    try {
      const stats = await lstat(path)
      return stats.isFile() && (await this.#isOwn(path)) ? stats : null
    } catch (thrown) {
      if (isMissing(thrown)) return null
      throw storageFault(thrown)
    }
  }

  /** Whether the folder of `path` is where its name says, so that no link leads out of storage; true where there is none. */
  async #isOwn(path: string): Promise<boolean> {
    try {
      const [root, folder] = await Promise.all([realpath(this.#directory), realpath(dirname(path))])
      return folder === join(root, relative(this.#directory, dirname(path)))
    } catch (thrown) {
      if (isMissing(thrown)) return true
      throw thrown
    }
  }

  async #removeEmptyParents(from: string): Promise<void> {
    for (let folder = from; folder.length > this.#directory.length; folder = dirname(folder)) {
      try {
        await rmdir(folder)
      } catch {
        // Not empty, or gone already: nothing above can be empty either.
        return
      }
    }
  }
}

function segmentsOf(key: string): string[] {
  const segments = key.split('/')
  if (!segments.every((segment) => SEGMENT.test(segment))) throw new Error(`not a storage key: ${JSON.stringify(key)}`)
  return segments
}

/** Those of a key, or of an unfinished write as `list` names it. */
function removableSegments(keyOrPrefix: string): string[] {
  const segments = keyOrPrefix.split('/')
  const last = segments.at(-1) ?? ''
  if (!ASIDE.test(last)) return segmentsOf(keyOrPrefix)
  return segments.length === 1 ? [last] : [...segmentsOf(segments.slice(0, -1).join('/')), last]
}

async function* probe(): AsyncIterable<Uint8Array> {
  yield Buffer.from('freight\n')
}

function gone(cause?: unknown): FreightError {
  return new FreightError('NOT_FOUND', 'The file is no longer in storage.', { cause })
}

function isMissing(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
}

/** The file is opened when the first piece is asked for: a reader that never asks leaves nothing open. */
async function* readPieces(path: string, range: { start: number; end: number } | undefined): AsyncIterable<Uint8Array> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    yield* file.createReadStream({ highWaterMark: READ_BYTES, ...(range ?? {}) })
  } catch (thrown) {
    throw isMissing(thrown) ? gone(thrown) : storageFault(thrown)
  }
}

async function* walk(directory: string, folder: string): AsyncIterable<StoredObject & { readonly whole: boolean }> {
  for await (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(directory, path)
    else if (entry.isFile()) {
      const stats = await lstat(path).catch(() => null)
      const key = relative(directory, path).split(sep).join('/')
      if (stats) yield { key, bytes: stats.size, modifiedAt: stats.mtime, whole: !entry.name.startsWith(ASIDE_PREFIX) }
    }
  }
}

async function* entriesOf(folder: string): AsyncIterable<Dirent> {
  try {
    yield* await opendir(folder)
  } catch (thrown) {
    if (!isMissing(thrown)) throw storageFault(thrown)
  }
}
