/** A model of jobs beside a store: what the table of transitions makes of random verbs. */
import { expect } from 'vitest'
import type { EventType, Job, JobStatus } from '../../src/job/job.ts'
import { transition, type Verb } from '../../src/job/transitions.ts'
import type { Store } from '../../src/store/store.ts'
import { pick, seeded } from '../random.ts'
import { at, completionOf, fault, found, jobId, newJob } from './sample-job.ts'

const VERBS: readonly Verb[] = ['claim', 'complete', 'fail', 'retry', 'return', 'interrupt', 'start', 'cancel']
const OF_A_RUN: readonly Verb[] = ['complete', 'fail', 'retry', 'return']
const EVENT_OF: Readonly<Record<Verb, EventType>> = {
  claim: 'started',
  complete: 'completed',
  fail: 'failed',
  retry: 'retried',
  return: 'returned',
  interrupt: 'interrupted',
  start: 'restarted',
  cancel: 'cancelled',
}

function call(store: Store, verb: Verb, job: { id: string; run: number }, now: Date): Promise<Job | null> {
  const { id, run } = job
  switch (verb) {
    case 'claim':
      return store.claim(id, now)
    case 'complete':
      return store.complete(id, run, completionOf(job, now, new Date(now.getTime() + 1000)))
    case 'fail':
      return store.fail(id, run, fault, [], now)
    case 'retry':
      return store.retry(id, run, fault, now, now)
    case 'return':
      return store.giveBack(id, run, now)
    default:
      return store[verb]('acme', id, now)
  }
}

/** What the store must know of a job after each step. */
interface ModelJob {
  readonly id: string
  status: JobStatus
  run: number
  failures: number
  readonly events: { type: EventType; run: number }[]
}

/** Random verbs one after the other: each answer, and each job, is what the table of transitions says. */
export async function followModel(store: Store, steps: number, seed: number): Promise<void> {
  const random = seeded(seed)
  const jobs: ModelJob[] = []
  for (let step = 1; step <= steps; step += 1) {
    if (jobs.length < 4 || random() < 0.02) {
      const { id } = newJob(step)
      await store.create(newJob(step), null)
      jobs.push({ id, status: 'pending', run: 0, failures: 0, events: [{ type: 'created', run: 0 }] })
    }
    // The youngest ones mostly: the others soon rest for ever, and must.
    const job = random() < 0.9 ? pick(jobs.slice(-4), random) : pick(jobs, random)
    const verb = pick(VERBS, random)
    const run = random() < 0.75 ? job.run : Math.floor(random() * (job.run + 2))
    const expected = expectedOf(job, verb, run)
    const answer = await call(store, verb, { id: job.id, run }, at(10_000 + step)).then(
      (result) => (result === null ? 'null' : 'job'),
      (error: { code?: string }) => error.code,
    )
    expect({ step, verb, answer }).toEqual({ step, verb, answer: expected })
    const { status, run: stored, failures } = found(await store.find(job.id))
    expect({ step, status, run: stored, failures }).toEqual({ step, status: job.status, run: job.run, failures: job.failures })
  }
  for (const job of jobs) {
    const events = await store.events(job.id, 0)
    expect(events.map(({ type, run }) => ({ type, run }))).toEqual(job.events)
  }
}

/** Moves the model and tells what the store must answer. */
function expectedOf(job: ModelJob, verb: Verb, run: number): string {
  const { from, to } = transition(verb)
  const fits = from.includes(job.status) && (!OF_A_RUN.includes(verb) || run === job.run)
  if (!fits) {
    if (verb === 'claim' || OF_A_RUN.includes(verb)) return 'null'
    return verb !== 'start' && job.status === to ? 'job' : 'TRANSITION_ILLEGAL'
  }
  job.status = to
  if (verb === 'claim') {
    job.run += 1
    job.failures += 1
  }
  if (verb === 'return') job.failures -= 1
  if (verb === 'start') job.failures = 0
  job.events.push({ type: EVENT_OF[verb], run: job.run })
  return 'job'
}

/** Random verbs at once: whichever wins, each job's events lead to its status. */
export async function raceVerbs(store: Store, rounds: number, seed: number): Promise<void> {
  const random = seeded(seed)
  for (let round = 1; round <= rounds; round += 1) {
    if (round % 10 === 1) await store.create(newJob(round), null)
    const id = jobId(round - ((round - 1) % 10))
    const { run } = found(await store.find(id))
    const verbs = Array.from({ length: 5 }, () => pick(VERBS, random))
    await Promise.allSettled(verbs.map((verb) => call(store, verb, { id, run }, at(10_000 + round))))
  }
  for (let round = 1; round <= rounds; round += 10) {
    const job = found(await store.find(jobId(round)))
    expect(replay(await store.events(job.id, 0))).toEqual({ status: job.status, run: job.run })
  }
}

/** Where the events lead; throws at one that its predecessor does not allow. */
function replay(events: readonly { type: EventType; run: number }[]): { status: JobStatus; run: number } {
  let status: JobStatus = 'pending'
  let run = 0
  for (const event of events.slice(1)) {
    const verb = VERBS.find((candidate) => EVENT_OF[candidate] === event.type)
    if (!verb || !transition(verb).from.includes(status)) throw new Error(`${event.type} after ${status}`)
    status = transition(verb).to
    if (verb === 'claim') run += 1
    if (event.run !== run) throw new Error(`${event.type} of run ${event.run} in run ${run}`)
  }
  return { status, run }
}
