/** Says what the figures were measured on, and where the benchmark keeps its files. */
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

export function machine(): string {
  const [cpu] = cpus()
  const gib = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${gib} GiB, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
}

/** Kept between runs: making the tables takes longer than reading them. */
export function benchFolder(): string {
  return join(tmpdir(), 'freight-bench')
}
