/**
 * Pipes that a process can open by a path. What Node gives a child are sockets, which nothing can open again as /dev/fd/4, and DuckDB
 * opens all its files by path. So each pipe is a FIFO that loses its name as soon as both its ends are open.
 */
import { execFile } from 'node:child_process'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FreightError } from '../job/errors.ts'

export interface Pipe {
  readonly readFd: number
  readonly writeFd: number
}

/** The descriptors are the caller's to close. */
export async function makePipes(folder: string, count: number): Promise<Pipe[]> {
  const paths = Array.from({ length: count }, (_, index) => join(folder, `pipe${index}`))
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths])
  } catch (cause) {
    const message = 'DuckDB is fed through named pipes, and "mkfifo" did not make one; Parquet needs Linux or macOS.'
    throw new FreightError('CONFIG_INVALID', message, { cause })
  }
  return paths.map((path) => {
    // Either end alone would wait for the other.
    const both = openSync(path, constants.O_RDWR)
    const pipe = { readFd: openSync(path, constants.O_RDONLY), writeFd: openSync(path, constants.O_WRONLY) }
    closeSync(both)
    rmSync(path)
    return pipe
  })
}
