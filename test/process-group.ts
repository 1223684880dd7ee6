/** What the kernel knows of a server's process group: its members and the CPU time it has used. Linux only, as /proc is. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** proc(5): utime and stime count in ticks of 10 ms. */
const TICK_MS = 10
const WINDOW_MS = 75

interface Member {
  readonly pid: number
  readonly cpuMs: number
}

/** The group's processes besides its leader. */
export function childrenOf(leader: number): readonly number[] {
  return members(leader).flatMap(({ pid }) => (pid === leader ? [] : [pid]))
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

/** The time of a child that was waited for counts with its parent's. */
function members(leader: number): Member[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      // The second field, in brackets, may hold spaces.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(fields[2]) !== leader) return []
      const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0)
      return [{ pid: Number(name), cpuMs: ticks * TICK_MS }]
    } catch {
      return []
    }
  })
}
