/** Private copies of DuckDB databases: DuckDB lets nobody write a database that another process has open, nor read one that is written. */
import { constants } from 'node:fs'
import { copyFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { FreightError } from '../../job/errors.ts'
import { identityOf } from './files.ts'

/** File systems tell the time of a change no finer than this. */
const SETTLED_MS = 50
const PATIENCE_MS = 10_000

/**
 * Copies a database with its write-ahead log, and again until nothing was written meanwhile: the two are then what a crash would have left, from
 * which DuckDB recovers every committed transaction. Where the file system can, the copy shares its blocks and takes no time.
 */
export async function copyDatabase(path: string, folder: string): Promise<string> {
  const copy = join(folder, 'database.duckdb')
  const deadline = Date.now() + PATIENCE_MS
  do {
    const before = await settled(path)
    if (before !== null) {
      await copyFile(path, copy, constants.COPYFILE_FICLONE)
      await copyFile(`${path}.wal`, `${copy}.wal`, constants.COPYFILE_FICLONE).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
      if ((await settled(path)) === before) return copy
    }
    await wait(SETTLED_MS)
  } while (Date.now() < deadline)
  throw new FreightError('SOURCE_UNAVAILABLE', 'The DuckDB database is written to without a pause; try again when that is done.')
}

/** What both files are; null while they have only just been written. */
async function settled(path: string): Promise<string | null> {
  const { mtimeMs } = await stat(path)
  const log = await stat(`${path}.wal`).catch(() => null)
  if (Date.now() - Math.max(mtimeMs, log?.mtimeMs ?? 0) < SETTLED_MS) return null
  return `${await identityOf(path)}, ${await identityOf(`${path}.wal`)}`
}
