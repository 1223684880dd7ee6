/** An export whose server is killed each time it is running, among others that only want to be done. */
import { create, ended, events, type Site, startServer, until } from '../rig.ts'
import { LONG } from './warehouse.ts'
import { Watch } from './watch.ts'

export interface PoisonReport {
  /** How often it was claimed until it was given up. */
  readonly attempts: number
  readonly status: string
  readonly error: { readonly code: string; readonly message: string } | null
  /** From each fault to the claim after it. */
  readonly restsMs: readonly number[]
  /** Other exports that were not completed in the end. */
  readonly stuck: readonly string[]
  readonly historyFaults: readonly string[]
}

/** More kills than an export is ever given attempts. */
const MOST_KILLS = 10

export async function runPoison({ site, key, others }: { site: Site; key: string; others: number }): Promise<PoisonReport> {
  let server = await startServer(site)
  const watch = new Watch(server, key)
  const poison = await create(server, key, LONG)
  const ids: string[] = []
  while (ids.length < others) ids.push(await create(server, key, { resource: 'orders' }))
  let view = await until(server, key, poison, ({ status }) => status !== 'pending')
  for (let kills = 0; view.status === 'in_progress' && kills < MOST_KILLS; kills += 1) {
    await server.kill()
    server = await startServer(site)
    watch.follow(server)
    view = await until(server, key, poison, ({ status }) => status !== 'pending')
  }
  const told = await events(server, key, poison)
  const timesOf = (wanted: string): number[] => told.filter(({ type }) => type === wanted).map(({ at }) => Date.parse(at))
  const [, ...laterStarts] = timesOf('started')
  const retries = timesOf('retried')
  const ends = await Promise.all(ids.map((id) => ended(server, key, id)))
  const stuck = ends.flatMap(({ id, status }) => (status === 'completed' ? [] : [`${id}: ${status}`]))
  const historyFaults = await watch.end()
  await server.kill()
  const restsMs = laterStarts.map((at, n) => at - (retries[n] ?? at))
  return { attempts: view.attempt, status: view.status, error: view.error, restsMs, stuck, historyFaults }
}
