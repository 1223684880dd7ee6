/** Private copies of databases whose writers would have to wait for a reader. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { StatementWatch } from './functions.ts'

/** 8 MiB of 4 KiB pages: writers wait for a step, and it takes a few milliseconds. */
const STEP_PAGES = 2_048

/**
 * Copies with SQLite's backup API, step by step. A write by another process between two steps makes SQLite begin anew, so after each
 * time the steps grow: a database that is written to all the time is in the end copied in one, for which its writers wait.
 */
export async function copyDatabase(db: Database, path: string, watch: StatementWatch): Promise<void> {
  let pages = STEP_PAGES
  let remaining = Number.POSITIVE_INFINITY
  // It holds the team's rows: nobody else may read it, not even for the moment until it is unlinked.
  writeFileSync(path, '', { mode: 0o600, flag: 'wx' })
  await db.backup(path, {
    progress({ remainingPages }) {
      watch.tick()
      if (remainingPages > remaining) pages *= 4
      remaining = remainingPages
      return pages
    },
  })
}

const NAME = /^freight-copy-(\d+)-(\d+)-/

/** Tells by its name which process made it: a copy is unlinked once it is open, so one that lasts is of a process that died. */
export function copyPathIn(tempDir: string, id: string): string {
  return join(tempDir, `freight-copy-${process.pid}-${startOf(process.pid) ?? 0}-${id}.db`)
}

/** Removes copies that died processes left half made. */
export function sweepCopies(tempDir: string): void {
  for (const file of readdirSync(tempDir)) {
    const [, pid, start] = NAME.exec(file) ?? []
    if (pid !== undefined && startOf(process.pid) !== null && startOf(Number(pid)) !== start)
      rmSync(join(tempDir, file), { force: true })
  }
}

/** When a process was started (proc(5), /proc/pid/stat, field 22), since ids come again; null where that cannot be known. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, in brackets, may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
