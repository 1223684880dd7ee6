import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { body, describeStorage, listed, NEVER } from '../../test/contracts/storage.ts'
import { FreightError } from '../job/errors.ts'
import { createLocalStorage, writeWhole } from './local.ts'

describeStorage('local storage', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'freight-storage-'))
  return {
    storage: createLocalStorage(join(folder, 'files')),
    remove: async () => rmSync(folder, { recursive: true }),
  }
})

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-local-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function* megabytes(count: number): AsyncIterable<Uint8Array> {
  for (let k = 0; k < count; k++) yield Buffer.alloc(1_000_000, k)
}

describe('local storage', () => {
  it('keeps files and folders to its own user, and says where a file is', async () => {
    const storage = createLocalStorage(join(folder, 'deep', 'files'))
    await storage.put('job/1/a.csv', body('a'), NEVER)
    const path = storage.locate('job/1/a.csv')
    expect(path !== null && isAbsolute(path)).toBe(true)
    expect(statSync(path ?? '').mode & 0o777).toBe(0o600)
    for (const made of ['deep', 'deep/files', 'deep/files/job', 'deep/files/job/1']) {
      expect(statSync(join(folder, made)).mode & 0o777).toBe(0o700)
    }
  })

  it('prunes folders that became empty, and never its own', async () => {
    const storage = createLocalStorage(folder)
    await storage.put('a/b/c/file', body('x'), NEVER)
    await storage.put('a/other', body('x'), NEVER)
    await storage.remove('a/b/c/file')
    expect(readdirSync(join(folder, 'a'))).toEqual(['other'])
    await storage.remove('a')
    expect(readdirSync(folder)).toEqual([])
  })

  it('follows no link that was planted in it', async () => {
    const secret = join(folder, 'secret')
    mkdirSync(secret)
    writeFileSync(join(secret, 'file'), 'canary')
    const files = join(folder, 'files')
    mkdirSync(files)
    const storage = createLocalStorage(files)
    symlinkSync(join(secret, 'file'), join(files, 'link'))
    symlinkSync(secret, join(files, 'away'))
    for (const key of ['link', 'away/file']) {
      await expect(storage.read(key)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await storage.stat(key)).toBeNull()
    }
    expect(await listed(storage)).toEqual([])
    await expect(storage.put('away/new', body('x'), NEVER)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await storage.remove('away/file')
    await storage.remove('away')
    expect(readdirSync(secret)).toEqual(['file'])
    // A link to a file is replaced, not written through.
    await storage.put('link', body('mine'), NEVER)
    expect(statSync(join(secret, 'file')).size).toBe('canary'.length)
  })

  it('works below a folder that is itself reached through a link', async () => {
    mkdirSync(join(folder, 'real'))
    symlinkSync(join(folder, 'real'), join(folder, 'data'))
    const storage = createLocalStorage(join(folder, 'data', 'files'))
    await storage.put('job/a', body('x'), NEVER)
    expect((await storage.stat('job/a'))?.bytes).toBe(1)
    await storage.remove('job')
    expect(await listed(storage)).toEqual([])
  })

  it('is unavailable where a file stands in the way, and tells no path', async () => {
    writeFileSync(join(folder, 'file'), 'x')
    const storage = createLocalStorage(join(folder, 'file', 'files'))
    const fault = await storage.put('a', body('x'), NEVER).catch((thrown: unknown) => thrown)
    expect(fault).toBeInstanceOf(FreightError)
    expect(fault).toMatchObject({ code: 'STORAGE_UNAVAILABLE', cause: { code: 'ENOTDIR' } })
    expect((fault as Error).message).not.toContain(folder)
    await expect(storage.check()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  it('writes a file of the caller whole, replacing the old one, and refuses a missing folder', async () => {
    const path = join(folder, 'out.csv')
    writeFileSync(path, 'old')
    expect(await writeWhole(path, megabytes(3), NEVER)).toBe(3_000_000)
    expect(statSync(path).size).toBe(3_000_000)
    await expect(writeWhole(join(folder, 'no', 'out.csv'), body('x'), NEVER)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    })
    expect(readdirSync(folder)).toEqual(['out.csv'])
  })

  it('outlives a power loss: the file is synced before it is renamed, and its folder after', async ({ skip }) => {
    if (!works('strace', ['-V'])) skip('there is no strace here to see the calls')
    const log = join(folder, 'calls')
    const script = `import { createLocalStorage } from ${JSON.stringify(LOCAL)}
async function* body() { yield Buffer.from('x') }
await createLocalStorage(${JSON.stringify(join(folder, 'files'))}).put('job/a', body(), new AbortController().signal)`
    const trace = [
      '-f',
      '-e',
      'trace=fsync,fdatasync,rename',
      '-o',
      log,
      process.execPath,
      '--input-type=module-typescript',
      '-e',
      script,
    ]
    await promisify(execFile)('strace', trace)
    const calls = execFileSync('cat', [log])
      .toString()
      .match(/\b(fsync|fdatasync|rename)\(/g)
    // The three folders made and their parents' entries, then the file, its name, and the name's folder.
    expect(calls?.slice(-3)).toEqual(['fsync(', 'rename(', 'fsync('])
    expect(calls?.filter((call) => call === 'fsync(').length).toBeGreaterThanOrEqual(4)
  }, 20_000)

  it('gives up a large file when the disk refuses what was written on the way', async ({ skip }) => {
    if (!works('strace', ['-V'])) skip('there is no strace here to break a call')
    const script = `import { createLocalStorage } from ${JSON.stringify(LOCAL)}
async function* body() { for (let k = 0; k < 40; k++) yield Buffer.alloc(1_000_000) }
const storage = createLocalStorage(${JSON.stringify(join(folder, 'files'))})
const fault = await storage.put('job/a', body(), new AbortController().signal).catch((thrown) => thrown)
const left = []
for await (const object of storage.list()) left.push(object.key)
console.log(JSON.stringify({ code: fault.code, cause: fault.cause?.code, left }))`
    const broken = ['-f', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO']
    const { stdout } = await promisify(execFile)('strace', [
      ...broken,
      process.execPath,
      '--input-type=module-typescript',
      '-e',
      script,
    ])
    expect(JSON.parse(stdout)).toEqual({ code: 'STORAGE_UNAVAILABLE', cause: 'EIO', left: [] })
  }, 20_000)
})

const LOCAL = fileURLToPath(new URL('./local.ts', import.meta.url))

function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Writes 3 MB where there is room for 1 MB, then a small file, in a process of its own; tells what it met. */
const FILL = `import { createLocalStorage } from ${JSON.stringify(LOCAL)}
const never = new AbortController().signal
async function* body(count) { for (let k = 0; k < count; k++) yield Buffer.alloc(100_000, k) }
const storage = createLocalStorage(process.argv[1])
const fault = await storage.put('job/large', body(30), never).catch((thrown) => thrown)
const left = []
for await (const object of storage.list()) left.push(object.key)
const small = await storage.put('job/small', body(2), never)
console.log(JSON.stringify({ code: fault.code, cause: fault.cause?.code, message: fault.message, left, small }))`

function fill(files: string, before: readonly string[]): unknown {
  const [command = process.execPath, ...args] = [...before, process.execPath, '--input-type=module-typescript', '-e', FILL, files]
  return JSON.parse(execFileSync(command, args).toString())
}

describe('a full disk', () => {
  it('is STORAGE_FULL, leaves nothing behind, and later writes work again', () => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    const isMounted = works('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
    try {
      // Without the right to mount, a bound on the size of a file is the next best: the same promise, with EFBIG.
      const seen = isMounted ? fill(join(disk, 'files'), []) : fill(join(disk, 'files'), ['prlimit', '--fsize=1000000'])
      expect(seen).toMatchObject({ code: 'STORAGE_FULL', cause: isMounted ? 'ENOSPC' : 'EFBIG', left: [], small: 200_000 })
      expect((seen as { message: string }).message).not.toContain(folder)
    } finally {
      if (isMounted) expect(works('umount', [disk])).toBe(true)
    }
  }, 20_000)

  it('is the same for a bound on the size of a file', () => {
    const seen = fill(join(folder, 'files'), ['prlimit', '--fsize=1000000'])
    expect(seen).toMatchObject({ code: 'STORAGE_FULL', cause: 'EFBIG', left: [], small: 200_000 })
  }, 20_000)
})
