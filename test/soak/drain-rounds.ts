/** Rounds of: exports of all lengths run, the server is stopped in order at some instant, another takes over. */
import { setTimeout } from 'node:timers/promises'
import type { Random } from '../../src/cli/demo/random.ts'
import { Watch } from '../promises/watch.ts'
import { create, ended, events, type Site, startServer } from '../rig.ts'

export interface DrainReport {
  readonly acknowledged: number
  readonly lost: readonly string[]
  readonly stuck: readonly string[]
  /** Servers that did not leave with 0, runs that counted as a fault, histories that cannot be. */
  readonly faults: readonly string[]
}

export async function drainRounds(input: { site: Site; key: string; random: Random; rounds: number }): Promise<DrainReport> {
  const { site, key, random, rounds } = input
  let server = await startServer(site)
  const watch = new Watch(server, key)
  const ids: string[] = []
  const faults: string[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const lengths = [random.between(100, 800), random.between(2_000, 6_000), 10]
    for (const limit of lengths) ids.push(await create(server, key, { resource: 'slow', limit }))
    await setTimeout(random.between(0, 1_500))
    const code = await server.stop()
    if (code !== 0) faults.push(`round ${round}: exit code ${code}`)
    server = await startServer(site)
    watch.follow(server)
  }
  const lost: string[] = []
  const stuck: string[] = []
  for (const id of ids) {
    const { status } = await server.call(key, 'GET', `/exports/${id}`)
    if (status !== 200) {
      lost.push(`${id}: ${status}`)
      continue
    }
    const end = await ended(server, key, id, 120_000).catch((error: Error) => ({ status: error.message }))
    if (end.status !== 'completed') stuck.push(`${id}: ${end.status}`)
    const types = (await events(server, key, id)).map(({ type }) => type)
    if (types.includes('retried')) faults.push(`${id}: ${types.join(', ')}`)
  }
  faults.push(...(await watch.end()))
  await server.stop()
  return { acknowledged: ids.length, lost, stuck, faults }
}
