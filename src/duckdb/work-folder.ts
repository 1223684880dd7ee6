/** A folder for each DuckDB process: its pipes, its copy of a database and what it spills. It goes with the process. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FreightError } from '../job/errors.ts'

const NAME = /^freight-duckdb-(\d+)-(\d+)-/

/** Named by the process that made it, so that what a killed one left behind can be told from what is in use. */
export function makeWorkFolder(tempDir: string): string {
  try {
    mkdirSync(tempDir, { recursive: true })
    sweep(tempDir)
    return mkdtempSync(join(tempDir, `freight-duckdb-${process.pid}-${startOf(process.pid) ?? 0}-`))
  } catch (cause) {
    const message = 'The folder for temporary files cannot be made; check that Freight may write to its data folder.'
    throw new FreightError('STORAGE_UNAVAILABLE', message, { cause })
  }
}

function sweep(tempDir: string): void {
  const own = startOf(process.pid)
  if (own === null) return
  for (const file of readdirSync(tempDir)) {
    const [, pid, start] = NAME.exec(file) ?? []
    if (pid !== undefined && startOf(Number(pid)) !== start) rmSync(join(tempDir, file), { recursive: true, force: true })
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
