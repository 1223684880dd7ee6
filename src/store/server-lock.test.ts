import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acquireServerLock } from './server-lock.ts'
import { openSqliteStore } from './sqlite-store.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the server lock', () => {
  it('a second server on the same folder is refused with the process that holds it, until the first lets go', () => {
    const first = acquireServerLock(folder)
    expect(() => acquireServerLock(folder)).toThrow(
      expect.objectContaining({
        code: 'ALREADY_RUNNING',
        message: `Another Freight server (process ${process.pid}) already uses this data folder; stop it or set FREIGHT_DATA to another folder.`,
      }),
    )
    first.release()
    first.release()
    expect(existsSync(join(folder, 'server.pid'))).toBe(false)
    acquireServerLock(folder).release()
  })

  it('the lock of a server that was killed is gone with it', async () => {
    const script = `
      import { acquireServerLock } from '${new URL('./server-lock.ts', import.meta.url)}'
      // Kept: a lock that nobody holds on to is let go when memory is tidied.
      globalThis.lock = acquireServerLock(${JSON.stringify(folder)})
      console.log('held')
      setInterval(() => {}, 1000)`
    const server = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(server, 'close')
    try {
      await once(server.stdout, 'data')
      expect(() => acquireServerLock(folder)).toThrow(
        expect.objectContaining({ message: expect.stringContaining(`(process ${server.pid})`) }),
      )
    } finally {
      server.kill('SIGKILL')
      await ended
    }
    acquireServerLock(folder).release()
  })

  it('a folder that is not there is refused as a fault of the configuration', () => {
    expect(() => acquireServerLock(join(folder, 'missing'))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  it('does not hinder those who only read and write records beside the server', async () => {
    const lock = acquireServerLock(folder)
    const store = await openSqliteStore(join(folder, 'freight.db'))
    expect(await store.migrate()).not.toEqual([])
    expect(await store.listKeys(null)).toEqual([])
    await store.close()
    lock.release()
  })
})
