/**
 * The promises that kill servers, for longer: `npm run soak -- [--rounds N] [--minutes M] [--seed TEXT]`.
 * N rounds of each (default 20), all of them again until M minutes (default 0) have passed. Exits 1 when one is broken.
 */
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createRandom, type Random } from '../../src/cli/demo/random.ts'
import { keyRounds } from '../promises/key-rounds.ts'
import { killedAtTheEnd } from '../promises/kill-at-the-end.ts'
import { killRounds } from '../promises/kill-rounds.ts'
import { runPoison } from '../promises/poison-run.ts'
import { makeWarehouse, type WarehouseOptions } from '../promises/warehouse.ts'
import { makeKey, type Site } from '../rig.ts'
import { drainRounds } from './drain-rounds.ts'
import { syncedAnswers } from './synced-answers.ts'

interface Outcome {
  readonly rounds: number
  readonly acknowledged: number
  readonly lost: readonly string[]
  readonly stuck: readonly string[]
  /** Everything else that was promised and not kept. */
  readonly faults: readonly string[]
}

interface Place {
  readonly site: Site
  readonly key: string
  readonly random: Random
  readonly rounds: number
}

interface Promised {
  readonly name: string
  readonly warehouse: WarehouseOptions
  run(place: Place): Promise<Outcome>
}

const PROMISES: readonly Promised[] = [
  {
    name: 'acknowledged exports outlive kills',
    warehouse: {},
    async run(place) {
      const report = await killRounds({ ...place, postsPerClient: 6 })
      const integrity = report.integrity === 'ok' ? [] : [report.integrity]
      return { ...report, rounds: place.rounds, faults: [...report.damaged, ...report.historyFaults, ...integrity] }
    },
  },
  {
    name: 'one key is one export',
    warehouse: {},
    async run(place) {
      const report = await keyRounds({ ...place, keysPerRound: 20 })
      const surplus = report.exports === report.keys ? [] : [`${report.exports} exports for ${report.keys} keys`]
      return {
        rounds: place.rounds,
        acknowledged: report.acknowledged,
        lost: [],
        stuck: [],
        faults: [...report.changed, ...surplus],
      }
    },
  },
  {
    name: 'files are whole, nothing is left behind',
    warehouse: { items: 1_000_000 },
    async run(place) {
      const report = await killedAtTheEnd(place)
      const faults = [...report.damaged, ...report.leftBehind, ...report.historyFaults]
      return { rounds: report.rounds, acknowledged: report.rounds + 1, lost: [], stuck: report.notCompleted, faults }
    },
  },
  {
    name: 'a poison export is given up',
    warehouse: {},
    async run({ site, key }) {
      const others = 50
      const { attempts, status, error, restsMs, stuck, historyFaults } = await runPoison({ site, key, others })
      const isRight = attempts === 5 && status === 'failed' && error?.code === 'ATTEMPTS_EXHAUSTED'
      const isPatient = restsMs.length === 4 && restsMs.every((restMs, n) => restMs >= 1_000 * 2 ** n)
      const poison = isRight && isPatient ? [] : [`${status} ${error?.code} after ${attempts} attempts, rests ${restsMs}`]
      return { rounds: 1, acknowledged: others + 1, lost: [], stuck, faults: [...poison, ...historyFaults] }
    },
  },
  {
    name: 'stopping in order costs nothing',
    warehouse: { drainSeconds: 1 },
    run: async (place) => ({ rounds: place.rounds, ...(await drainRounds(place)) }),
  },
  {
    name: 'an answer follows the disk (strace)',
    warehouse: {},
    async run({ site, key, rounds }) {
      const traced = await syncedAnswers(site, key, rounds)
      if (!traced) return { rounds: 0, acknowledged: 0, lost: [], stuck: [], faults: [] }
      const { answers, synced } = traced
      const faults = answers === rounds && synced === answers ? [] : [`${synced} of ${answers} answers after a sync`]
      return { rounds, acknowledged: answers, lost: [], stuck: [], faults }
    },
  },
]

function print(columns: readonly (string | number)[]): void {
  const [name = '', ...figures] = columns.map(String)
  process.stdout.write(`${name.padEnd(42)}${figures.map((figure) => figure.padStart(14)).join('')}\n`)
}

async function soak(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '0' },
      seed: { type: 'string', default: randomUUID() },
    },
  })
  const [rounds, minutes] = [Number(values.rounds), Number(values.minutes)]
  if (!(Number.isInteger(rounds) && rounds > 0 && minutes >= 0)) throw new Error('--rounds is 1 or more, --minutes 0 or more')
  process.stdout.write(`seed ${values.seed}\n`)
  print(['promise', 'rounds', 'acknowledged', 'lost', 'stuck', 'other faults', 'seconds'])
  const until = Date.now() + minutes * 60_000
  let broken = 0
  for (let turn = 1; turn === 1 || Date.now() < until; turn += 1) {
    for (const promised of PROMISES)
      broken += await keep(promised, rounds, createRandom(`${values.seed} ${turn} ${promised.name}`))
  }
  return broken === 0 ? 0 : 1
}

/** Resolves with the number of times that the promise was broken. */
async function keep(promised: Promised, rounds: number, random: Random): Promise<number> {
  const begun = Date.now()
  const site = await makeWarehouse(promised.warehouse)
  try {
    const key = await makeKey(site, 'acme')
    const { lost, stuck, faults, ...counts } = await promised.run({ site, key, random, rounds })
    const seconds = Math.round((Date.now() - begun) / 1_000)
    print([promised.name, counts.rounds || 'not tried', counts.acknowledged, lost.length, stuck.length, faults.length, seconds])
    for (const what of [...lost, ...stuck, ...faults]) process.stdout.write(`  ${what}\n`)
    return lost.length + stuck.length + faults.length
  } finally {
    await site.remove()
  }
}

process.exitCode = await soak()
