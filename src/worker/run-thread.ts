/** The thread of one run: source, format, compression and storage. Started ahead of need, used once, then replaced. */
import { parentPort, workerData } from 'node:worker_threads'
import { createDeliveries } from '../deliveries.ts'
import { asFreightError, FreightError, toPlainError } from '../job/errors.ts'
import { createParts } from '../parts.ts'
import { deliverWritten } from './deliver-written.ts'
import { yieldToServing } from './priority.ts'
import type { RunInput, RunProgress } from './run.ts'
import { runExport } from './run-export.ts'
import type { FromRunThread, RunThreadData, ToRunThread } from './run-messages.ts'

/** Often enough for a lively bar, rarely enough to cost nothing; the claim's holder stores at most two a second. */
const REPORT_MS = 100

const port = parentPort
if (!port) throw new Error('run-thread.ts is started by run-threads.ts only')

yieldToServing()
const { config } = workerData as RunThreadData
const parts = createParts(config)
// Loading a source's driver takes longer than a small export: do it before the run is known.
for (const name of Object.keys(config.sources).slice(0, 1)) parts.source(name)

const controller = new AbortController()
let sessionStored: () => void = () => {}
const send = (message: FromRunThread): void => port.postMessage(message)

port.on('message', (message: ToRunThread) => {
  if (message.type === 'run') void run(message.input)
  else if (message.type === 'abort') controller.abort(new FreightError('ABORTED', 'The run was stopped.'))
  else if (message.type === 'close') void close()
  else sessionStored()
})
send({ type: 'ready' })

async function close(): Promise<void> {
  send({ type: 'closing' })
  await parts.close().finally(() => process.exit())
}

async function run(input: RunInput): Promise<void> {
  let latest: RunProgress | null = null
  const report = (): void => {
    if (latest) send({ type: 'progress', progress: latest })
    latest = null
  }
  const timer = setInterval(report, REPORT_MS)
  try {
    const outcome = await runExport(
      input,
      parts,
      {
        put: (name, body, signal) => parts.storage.put(`${input.exportId}/${input.run}/${name}`, body, signal),
        progress: (progress) => {
          latest = progress
        },
        fileWritten: (file) => send({ type: 'file', file }),
        deliver: (destination, files, watch) =>
          deliverWritten(input, destination, files, watch, {
            storage: parts.storage,
            deliveries: createDeliveries(config),
          }),
        session: (session) => {
          send({ type: 'session', session })
          return new Promise<void>((resolve) => {
            sessionStored = resolve
          })
        },
      },
      controller.signal,
    )
    report()
    send({ type: 'done', outcome })
  } catch (thrown) {
    const error = asFreightError(thrown)
    // The cause stays in this process' log: it may hold SQL or a path, which no answer may.
    send({ type: 'failed', error: toPlainError(error), detail: describeCause(error), entry: error.details.entry ?? null })
  } finally {
    clearInterval(timer)
  }
}

function describeCause(error: FreightError): string | null {
  const { cause } = error
  if (cause === undefined) return null
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
