/** Wakes those who wait for a job to change. Within this process only: a hint to read again, never the news itself. */
export class JobChanges {
  #waiting = new Map<string, Set<() => void>>()

  /** Resolves at the next `wake` of the job, after `ms`, or when aborted; it never rejects. */
  next(jobId: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const ofJob = this.#waiting.get(jobId) ?? new Set()
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        ofJob.delete(done)
        if (ofJob.size === 0 && this.#waiting.get(jobId) === ofJob) this.#waiting.delete(jobId)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done, { once: true })
      ofJob.add(done)
      this.#waiting.set(jobId, ofJob)
    })
  }

  wake(jobId: string): void {
    for (const done of [...(this.#waiting.get(jobId) ?? [])]) done()
  }

  wakeAll(): void {
    for (const jobId of [...this.#waiting.keys()]) this.wake(jobId)
  }
}
