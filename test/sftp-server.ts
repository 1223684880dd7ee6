/** A real SFTP server (ssh2's) on a real folder, with the faults that such servers have. */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import type { AddressInfo, Socket } from 'node:net'
import { join, normalize } from 'node:path'
import ssh2 from 'ssh2'

const { Server, utils } = ssh2
const { STATUS_CODE } = utils.sftp

interface SftpFaults {
  /** Called before each write, with how many the server has seen. */
  onWrite?(count: number): 'drop' | 'hang' | 'deny' | 'full' | undefined
  /** The server does as asked and breaks off before it says so. */
  dropAfterRename?: boolean
  /** As servers of the protocol's version 3 do. */
  renameOnlyToFree?: boolean
  /** Acknowledges bytes that it does not keep. */
  keepOnly?: number
  denyFolders?: boolean
  /** Before every answer. */
  slowMs?: number
}

export interface SftpSite {
  readonly port: number
  readonly folder: string
  /** `SHA256:...` of its host key. */
  readonly hostKey: string
  faults: SftpFaults
  /** Connections that got as far as TCP. */
  connections: number
  /** Every final name there was, in order, by rename. */
  readonly renamed: string[]
  readonly writes: () => number
  close(): Promise<void>
}

export const SFTP_USER = { username: 'export', password: 'sesame-7f3a91' }

/** Serves `folder`, which the caller makes and removes. */
export async function startSftpServer(folder: string): Promise<SftpSite> {
  // Of the library's ed25519 keys one in two hundred cannot be read (ssh2 1.17, tried).
  const keys = utils.generateKeyPairSync('ecdsa', { bits: 256 })
  const clients = new Set<ssh2.Connection>()
  let writes = 0
  const server = new Server({ hostKeys: [keys.private] }, (client) => {
    clients.add(client)
    site.connections += 1
    socketOf(client).setNoDelay(true)
    client
      .on('error', () => {})
      .on('close', () => {
        clients.delete(client)
      })
    client.on('authentication', (context) => {
      const { username, password } = SFTP_USER
      if (context.method === 'password' && context.username === username && context.password === password) context.accept()
      else context.reject(['password'])
    })
    client.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => serve(acceptSftp(), client))
    })
  })
  const serve = (sftp: ssh2.SFTPWrapper, client: ssh2.Connection): void => {
    const handles = new Map<number, FileHandle>()
    client.on('close', () => {
      for (const file of handles.values()) void file.close().catch(() => {})
    })
    let last = 0
    const at = (path: string): string => join(folder, normalize(`/${path}`))
    const answer = (id: number, work: Promise<unknown>): void => {
      void work.then(
        () => later(() => sftp.status(id, STATUS_CODE.OK)),
        (error: NodeJS.ErrnoException) => later(() => sftp.status(id, statusOf(error))),
      )
    }
    const later = (say: () => void): void => {
      if (site.faults.slowMs) setTimeout(say, site.faults.slowMs)
      else say()
    }
    sftp.on('OPEN', (id, path) => {
      void open(at(path), 'w').then(
        (file) => {
          last += 1
          handles.set(last, file)
          const handle = Buffer.alloc(4)
          handle.writeUInt32BE(last)
          sftp.handle(id, handle)
        },
        (error: NodeJS.ErrnoException) => sftp.status(id, statusOf(error)),
      )
    })
    sftp.on('WRITE', (id, handle, offset, data) => {
      writes += 1
      const fault = site.faults.onWrite?.(writes)
      if (fault === 'hang') return
      if (fault === 'drop') return void socketOf(client).destroy()
      if (fault === 'deny') return void sftp.status(id, STATUS_CODE.PERMISSION_DENIED)
      if (fault === 'full') return void sftp.status(id, STATUS_CODE.FAILURE)
      const kept = site.faults.keepOnly === undefined ? data : data.subarray(0, Math.max(0, site.faults.keepOnly - offset))
      const file = handles.get(handle.readUInt32BE())
      answer(
        id,
        kept.length === 0
          ? Promise.resolve()
          : (file?.write(kept, 0, kept.length, offset) ?? Promise.reject(new Error('no handle'))),
      )
    })
    sftp.on('CLOSE', (id, handle) => answer(id, handles.get(handle.readUInt32BE())?.close() ?? Promise.resolve()))
    sftp.on('STAT', (id, path) => {
      void stat(at(path)).then(
        ({ mode, uid, gid, size, atimeMs, mtimeMs }) =>
          sftp.attrs(id, { mode, uid, gid, size, atime: atimeMs / 1000, mtime: mtimeMs / 1000 }),
        (error: NodeJS.ErrnoException) => sftp.status(id, statusOf(error)),
      )
    })
    sftp.on('RENAME', (id, from, to) => {
      const move = async (): Promise<void> => {
        if (site.faults.renameOnlyToFree && (await stat(at(to)).catch(() => null))) throw new Error('taken')
        await rename(at(from), at(to))
        site.renamed.push(to)
        if (site.faults.dropAfterRename) {
          site.faults.dropAfterRename = false
          socketOf(client).destroy()
        }
      }
      answer(id, move())
    })
    sftp.on('REMOVE', (id, path) => answer(id, unlink(at(path))))
    sftp.on('MKDIR', (id, path) => {
      if (site.faults.denyFolders) sftp.status(id, STATUS_CODE.PERMISSION_DENIED)
      else answer(id, mkdir(at(path)))
    })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const publicKey = Buffer.from(keys.public.split(' ')[1] ?? '', 'base64')
  const site: SftpSite = {
    port,
    folder,
    hostKey: `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`,
    faults: {},
    connections: 0,
    renamed: [],
    writes: () => writes,
    async close() {
      // Not by a goodbye: a client that hangs would never answer it.
      for (const client of clients) socketOf(client).destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  return site
}

/** The library gives no other way to break a connection off. */
function socketOf(client: ssh2.Connection): Socket {
  return (client as unknown as { readonly _sock: Socket })._sock
}

function statusOf(error: NodeJS.ErrnoException): number {
  if (error.code === 'ENOENT') return STATUS_CODE.NO_SUCH_FILE
  if (error.code === 'EACCES' || error.code === 'EPERM') return STATUS_CODE.PERMISSION_DENIED
  return STATUS_CODE.FAILURE
}
