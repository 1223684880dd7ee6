import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attempt, BIG, type DeliverySite, describeDelivery, QUICK } from '../../test/contracts/delivery.ts'
import { SFTP_USER, type SftpSite, startSftpServer } from '../../test/sftp-server.ts'
import { createReach } from './reach.ts'
import { createSftpDelivery, type SftpDeliveryOptions } from './sftp.ts'

const reach = createReach({ hosts: null, networks: ['127.0.0.1'] })

async function startSite(): Promise<SftpSite & { remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'freight-sftp-'))
  const server = await startSftpServer(folder)
  return Object.assign(server, {
    async remove() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  })
}

function optionsFor(server: SftpSite, differences: Partial<SftpDeliveryOptions> = {}): SftpDeliveryOptions {
  return {
    destination: { kind: 'sftp', host: '127.0.0.1', port: server.port, folder: 'in', sealed: '' },
    credentials: SFTP_USER,
    folder: 'X',
    hostKey: null,
    reach,
    patience: QUICK,
    ...differences,
  }
}

async function filesOf(server: SftpSite): Promise<Map<string, Buffer>> {
  const found = await readdir(join(server.folder, 'in'), { recursive: true, withFileTypes: true }).catch(() => [])
  const files = new Map<string, Buffer>()
  for (const entry of found.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name)
    files.set(path.slice(join(server.folder, 'in').length + 1), await readFile(path))
  }
  return files
}

const isAside = (name: string): boolean => name.endsWith('.part')

describeDelivery('an SFTP server', async (): Promise<DeliverySite> => {
  const server = await startSite()
  return {
    open: ({ patience, wrongCredentials, folder } = {}) =>
      createSftpDelivery(
        optionsFor(server, {
          patience: { ...QUICK, ...patience },
          ...(wrongCredentials ? { credentials: { ...SFTP_USER, password: 'wrong-secret' } } : {}),
          ...(folder ? { folder } : {}),
        }),
      ),
    files: async () => new Map([...(await filesOf(server))].filter(([name]) => !isAside(name))),
    leftovers: async () => [...(await filesOf(server)).keys()].filter(isAside),
    breakTransfers(count) {
      let broken = 0
      server.faults.onWrite = (seen) => (seen % 7 === 3 && broken++ < count ? 'drop' : undefined)
    },
    hang() {
      server.faults.onWrite = () => 'hang'
    },
    stop: () => server.close(),
    close: () => server.remove(),
  }
})

describe('delivery to an SFTP server', () => {
  let server: Awaited<ReturnType<typeof startSite>>
  beforeEach(async () => {
    server = await startSite()
  })
  afterEach(() => server.remove())

  const put = (differences: Partial<SftpDeliveryOptions> = {}, bytes?: Buffer): Promise<unknown> =>
    attempt(createSftpDelivery(optionsFor(server, differences)), bytes)

  it('shows the file under its name only when all of it is there', async () => {
    const seen: string[] = []
    server.faults.onWrite = () => void filesOf(server).then((files) => seen.push(...files.keys()))
    await put()
    expect(seen.length).toBeGreaterThan(10)
    expect(seen.every(isAside)).toBe(true)
    expect(server.renamed).toEqual(['in/X/a.json'])
  })

  it('replaces a file where the server renames only to a free name', async () => {
    server.faults.renameOnlyToFree = true
    await put({}, Buffer.from('first'))
    await put({}, Buffer.from('second'))
    expect(String((await filesOf(server)).get('X/a.json'))).toBe('second')
  })

  it('writes anew when the answer to the rename was lost, and one file stands there', async () => {
    server.faults.dropAfterRename = true
    const bytes = randomBytes(BIG)
    expect(await put({}, bytes)).toMatchObject({ verified: 'size' })
    expect([...(await filesOf(server)).keys()]).toEqual(['X/a.json'])
    expect((await filesOf(server)).get('X/a.json')?.equals(bytes)).toBe(true)
  })

  it('does not believe a server that acknowledged bytes it does not hold', async () => {
    server.faults.keepOnly = 1_000
    expect(await put()).toMatchObject({ kind: 'given_up', message: `it holds 1000 bytes of ${BIG}, each of 3 times` })
    expect(await filesOf(server)).toEqual(new Map())
  })

  it('does not try again where writing is not allowed', async () => {
    server.faults.onWrite = () => 'deny'
    expect(await put()).toMatchObject({ kind: 'refused', message: 'it does not allow writing there (permission denied)' })
    expect(server.connections).toBe(1)
    expect(await filesOf(server)).toEqual(new Map())
  })

  it('says that the folder cannot be made', async () => {
    server.faults.denyFolders = true
    expect(await put()).toMatchObject({ kind: 'refused', message: 'the folder is not there and cannot be made' })
  })

  it('tries a full disk again, gives up, and leaves nothing half-written', async () => {
    server.faults.onWrite = (count) => (count > 5 ? 'full' : undefined)
    expect(await put()).toMatchObject({ kind: 'given_up', message: expect.stringMatching(/^it could not write the file/) })
    expect(await filesOf(server)).toEqual(new Map())
  })

  it('waits for a slow server', async () => {
    server.faults.slowMs = 40
    expect(await put({ patience: { ...QUICK, silenceMs: 1_000 } })).toMatchObject({ bytes: BIG })
  })

  it('talks only to the server whose host key the configuration names', async () => {
    expect(await put({ hostKey: server.hostKey })).toMatchObject({ bytes: BIG })
    const other = `SHA256:${'A'.repeat(43)}`
    expect(await put({ hostKey: other })).toMatchObject({ kind: 'refused', message: expect.stringContaining('host key') })
  })

  it('makes no connection to an address that is not public', async () => {
    const strict = createReach({ hosts: null, networks: [] })
    for (const host of ['127.0.0.1', 'localhost', '127.1', 'sftp.localhost', '::1', '[::ffff:127.0.0.1]']) {
      const destination = { ...optionsFor(server).destination, host }
      expect(await put({ reach: strict, destination }), host).toMatchObject({ kind: 'refused' })
    }
    expect(server.connections).toBe(0)
  })
})
