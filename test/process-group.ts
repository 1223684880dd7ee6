/** What the kernel knows of a server's processes: which there are and the CPU time they have used. Linux only, as /proc is. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** proc(5): utime and stime count in ticks of 10 ms. */
const TICK_MS = 10
const WINDOW_MS = 75

interface Member {
  readonly pid: number
  readonly cpuMs: number
}

/** The server's processes besides itself. */
export function childrenOf(leader: number): readonly number[] {
  return members(leader).flatMap(({ pid }) => (pid === leader ? [] : [pid]))
}

/** A process that has ended and whom nobody has asked about yet is not. */
export function isAlive(pid: number): boolean {
  const [process] = read(pid)
  return process !== undefined && process.state !== 'Z'
}

/** Whether the process has the file open. */
export function hasOpen(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).some((fd) => readlinkSync(`${folder}/${fd}`) === path)
  } catch {
    // Closed, or the process ended, while we looked.
    return false
  }
}

/**
 * How long after `since` (as `performance.now()` tells) the group went quiet: it used at most one tick in each of two windows of
 * 75 ms, one after the other. Gives up after `ms`.
 */
export async function quietAfter(leader: number, since: number, ms: number): Promise<number> {
  let quietSince: number | null = null
  let before = cpuMs(leader)
  for (;;) {
    const windowAt = performance.now()
    await setTimeout(WINDOW_MS)
    const now = cpuMs(leader)
    const isQuiet = now - before <= TICK_MS
    before = now
    if (isQuiet && quietSince !== null) return quietSince
    quietSince = isQuiet ? windowAt - since : null
    if (performance.now() - since > ms) return Number.POSITIVE_INFINITY
  }
}

function cpuMs(leader: number): number {
  return members(leader).reduce((sum, member) => sum + member.cpuMs, 0)
}

/** The group's, and what its members have started in groups of their own. The time of a child that was waited for counts with its parent's. */
function members(leader: number): Member[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? read(Number(name)) : []))
  const found = new Set([leader, ...all.flatMap(({ pid, group }) => (group === leader ? [pid] : []))])
  for (let before = 0; before !== found.size; ) {
    before = found.size
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
  }
  return all.filter(({ pid }) => found.has(pid))
}

/** Nothing for a process that is gone by now. */
function read(pid: number): (Member & { state: string; parent: number; group: number })[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, in brackets, may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0)
    return [{ pid, state: fields[0] ?? '', parent: Number(fields[1]), group: Number(fields[2]), cpuMs: ticks * TICK_MS }]
  } catch {
    return []
  }
}
