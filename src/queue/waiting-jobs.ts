/** The jobs that could run now, by tenant: whose turn it is, and how many turns away a job is. */

export interface WaitingEntry {
  readonly id: string
  readonly tenant: string
  /** Grows with each job that was added: the oldest has the smallest. */
  readonly order: number
}

/**
 * Round robin as "who was served longest ago": a tenant that left and comes back takes its old place, so neither a long queue
 * nor adding one job at a time gets anyone more than their turn.
 */
export class WaitingJobs {
  /** Per tenant, oldest first; never an empty list. */
  #byTenant = new Map<string, WaitingEntry[]>()
  /** Number of the turn in which a tenant was last served. */
  #served = new Map<string, number>()
  #turn = 0

  get isEmpty(): boolean {
    return this.#byTenant.size === 0
  }

  get size(): number {
    let jobs = 0
    for (const waiting of this.#byTenant.values()) jobs += waiting.length
    return jobs
  }

  add(entry: WaitingEntry): void {
    const waiting = this.#byTenant.get(entry.tenant)
    if (waiting) waiting.splice(placeOf(waiting, entry.order), 0, entry)
    else this.#byTenant.set(entry.tenant, [entry])
  }

  remove(entry: WaitingEntry): void {
    const waiting = this.#byTenant.get(entry.tenant)
    if (!waiting) return
    const place = placeOf(waiting, entry.order)
    if (waiting[place]?.id === entry.id) waiting.splice(place, 1)
    if (waiting.length === 0) this.#byTenant.delete(entry.tenant)
  }

  /** Takes out the next job of a tenant that is not `passed` over; null when none waits. */
  next(passed: (tenant: string) => boolean): WaitingEntry | null {
    let first: WaitingEntry | null = null
    for (const [tenant, [head]] of this.#byTenant) {
      if (head && !passed(tenant) && (!first || this.#isBefore(head, first))) first = head
    }
    if (!first) return null
    this.remove(first)
    this.#turn += 1
    // With nobody waiting the past does not matter, and the list of tenants does not grow for ever.
    if (this.isEmpty) this.#served.clear()
    this.#served.set(first.tenant, this.#turn)
    return first
  }

  /** How many jobs are taken before this one if none is added. */
  turnsBefore(entry: WaitingEntry): number {
    const own = this.#byTenant.get(entry.tenant) ?? []
    const rounds = placeOf(own, entry.order)
    const head = own[0] ?? entry
    let turns = rounds
    for (const [tenant, waiting] of this.#byTenant) {
      const other = waiting[0]
      if (tenant === entry.tenant || !other) continue
      turns += Math.min(waiting.length, rounds + (this.#isBefore(other, head) ? 1 : 0))
    }
    return turns
  }

  /** Whether the tenant of `a` has its turn before the tenant of `b`; both are the oldest of theirs. */
  #isBefore(a: WaitingEntry, b: WaitingEntry): boolean {
    const servedA = this.#served.get(a.tenant) ?? 0
    const servedB = this.#served.get(b.tenant) ?? 0
    return servedA === servedB ? a.order < b.order : servedA < servedB
  }
}

/** Where `order` stands, or would stand. Binary search: a tenant may have thousands waiting. */
function placeOf(waiting: readonly WaitingEntry[], order: number): number {
  let low = 0
  let high = waiting.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((waiting[middle]?.order ?? order) < order) low = middle + 1
    else high = middle
  }
  return low
}
