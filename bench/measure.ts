/** Runs commands as whole processes, in turn, and says what each took: wall seconds from outside, peak memory from the kernel. */
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface Command {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  /** The output goes here (the process' own stdout). */
  readonly stdoutFd?: number
}

export interface Measured {
  readonly wallSeconds: number
  /** VmHWM of the process itself, sampled; MiB. */
  readonly peakMib: number
  /** The sum of that over the process and all that it started, those that have ended included: no less than their memory at any moment. */
  readonly treePeakMib: number
}

const SAMPLE_MS = 20

export async function measure(command: Command): Promise<Measured> {
  // Freight waits until its file is on the disk, its rivals do not: what they have left unwritten would be on its bill.
  spawnSync('sync')
  const started = performance.now()
  const child = spawn(command.file, [...command.args], { stdio: ['ignore', command.stdoutFd ?? 'ignore', 'pipe'] })
  const peaks = new Map<number, number>()
  const look = (pid: number): void => {
    // The last look counts: between fork and exec a child has its parent's figure.
    peaks.set(pid, peakOf(pid) || (peaks.get(pid) ?? 0))
    for (const started of startedBy(pid)) look(started)
  }
  const timer = setInterval(() => child.pid !== undefined && look(child.pid), SAMPLE_MS)
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(-2000)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearInterval(timer)
  const wallSeconds = (performance.now() - started) / 1000
  if (code !== 0) throw new Error(`${command.name} ended with ${code}: ${complaint}`)
  const treePeakMib = [...peaks.values()].reduce((sum, peak) => sum + peak, 0)
  return { wallSeconds, peakMib: peaks.get(child.pid ?? 0) ?? 0, treePeakMib }
}

/** Children, of whichever of its threads; none once it is gone. */
function startedBy(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => childrenOf(`/proc/${pid}/task/${task}/children`))
  } catch {
    return []
  }
}

function childrenOf(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** The kernel keeps the highest value itself, so a coarse sampling loses only what grew after the last look. */
function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export interface Pairing {
  readonly ours: Measured[]
  readonly theirs: Measured[]
  /** Median of ours over median of theirs, wall. */
  readonly ratio: number
}

/** A B A B ...: what slows the machine for a while slows both. One warm-up of each is not counted. */
export async function interleaved(
  ours: () => Promise<Measured>,
  theirs: () => Promise<Measured>,
  pairs: number,
): Promise<Pairing> {
  await ours()
  await theirs()
  const pairing: { ours: Measured[]; theirs: Measured[] } = { ours: [], theirs: [] }
  for (let pair = 0; pair < pairs; pair += 1) {
    pairing.ours.push(await ours())
    pairing.theirs.push(await theirs())
  }
  const wall = (runs: Measured[]): number => median(runs.map((run) => run.wallSeconds))
  return { ...pairing, ratio: wall(pairing.ours) / wall(pairing.theirs) }
}
