/** Rounds of: exports are asked for with an Idempotency-Key each, the server is killed in between, everyone asks again. */
import { setTimeout } from 'node:timers/promises'
import type { Random } from '../../src/cli/demo/random.ts'
import { type Answer, type Server, type Site, startServer } from '../rig.ts'

export interface KeyRounds {
  readonly site: Site
  readonly key: string
  readonly random: Random
  readonly rounds: number
  readonly keysPerRound: number
}

export interface KeyReport {
  readonly keys: number
  /** Keys with an answer before the kill. */
  readonly acknowledged: number
  /** Keys whose second answer was no 201, or another export than the first. */
  readonly changed: readonly string[]
  /** Exports in the end; one for each key. */
  readonly exports: number
}

export const KEYED = { resource: 'orders', format: 'json', metadata: { a: 1, b: [true, null] } }

export function postWithKey(server: Server, key: string, idempotencyKey: string, body: unknown = KEYED): Promise<Answer> {
  return server.call(key, 'POST', '/exports', body, { 'idempotency-key': idempotencyKey })
}

export async function keyRounds({ site, key, random, rounds, keysPerRound }: KeyRounds): Promise<KeyReport> {
  let server = await startServer(site)
  const first = new Map<string, string | null>()
  const changed: string[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const names = Array.from({ length: keysPerRound }, (_, n) => `${round}-${n}`)
    const answers = names.map(async (name) => {
      const answer = await postWithKey(server, key, name).catch(() => null)
      first.set(name, answer?.body.id ?? null)
    })
    // As many have an answer, or a little later.
    await some(answers, random.between(0, keysPerRound))
    await setTimeout(random.between(0, 20))
    await server.kill()
    await Promise.all(answers)
    server = await startServer(site)
    for (const name of names) {
      const { status, body } = await postWithKey(server, key, name)
      const before = first.get(name) ?? body.id
      if (status !== 201 || body.id !== before) changed.push(`${name}: ${before}, then ${status} ${body.id}`)
    }
  }
  const acknowledged = [...first.values()].filter((id) => id !== null).length
  const exports = await countExports(server, key)
  await server.kill()
  return { keys: first.size, acknowledged, changed, exports }
}

/** Resolves when `count` of them are over. */
function some(promises: readonly Promise<unknown>[], count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let over = 0
  if (count === 0) resolve()
  for (const each of promises) {
    void each.then(() => {
      over += 1
      if (over === count) resolve()
    })
  }
  return promise
}

async function countExports(server: Server, key: string): Promise<number> {
  let count = 0
  for (let cursor = ''; ; ) {
    const { body } = await server.call(key, 'GET', `/exports?limit=100${cursor}`)
    count += body.data.length
    if (body.next_cursor === null) return count
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`
  }
}
