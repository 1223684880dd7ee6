/** Looks at every export of a tenant again and again, across servers that are killed and started, and notes what may not be. */
import { setTimeout } from 'node:timers/promises'
import { type ExportView, events, type Server, shown } from '../rig.ts'
import { eventFaults, stateFaults, stepFaults } from './history.ts'

export class Watch {
  /** Faults with the export they were seen on. */
  readonly faults: string[] = []
  /** How many states were looked at. */
  looks = 0
  readonly #key: string
  readonly #everyMs: number
  readonly #last = new Map<string, ExportView>()
  readonly #over = new AbortController()
  #server: Server
  #round: Promise<void>

  constructor(server: Server, key: string, everyMs = 100) {
    this.#server = server
    this.#key = key
    this.#everyMs = everyMs
    this.#round = this.#run()
  }

  /** The same exports, at another server. */
  follow(server: Server): void {
    this.#server = server
  }

  /** Looks once more, at every export's events too; resolves with all faults. */
  async end(): Promise<readonly string[]> {
    this.#over.abort()
    await this.#round
    for (const id of this.#last.keys()) {
      const view = await shown(this.#server, this.#key, id)
      this.#note(view)
      const told = await events(this.#server, this.#key, id)
      this.faults.push(...eventFaults(told, view).map((fault) => `${id}: ${fault}`))
    }
    return this.faults
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      // A server that is just being killed answers nothing; the next one will.
      await this.#look().catch(() => {})
      await setTimeout(this.#everyMs)
    }
  }

  async #look(): Promise<void> {
    let cursor = ''
    for (;;) {
      const { status, body } = await this.#server.call(this.#key, 'GET', `/exports?limit=100${cursor}`)
      if (status !== 200) return
      for (const view of body.data) this.#note(view)
      // What lies further back rests, or is looked at in the end.
      if (body.next_cursor === null || this.#over.signal.aborted || cursor !== '') return
      cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`
    }
  }

  #note(view: ExportView): void {
    this.looks += 1
    const before = this.#last.get(view.id)
    const faults = [...stateFaults(view), ...(before ? stepFaults(before, view) : [])]
    this.faults.push(...faults.map((fault) => `${view.id}: ${fault}`))
    this.#last.set(view.id, view)
  }
}
