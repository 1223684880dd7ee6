/** The warm thread behind the probe: counts, previews and introspection over the same corridor as a run. */
import { parentPort, workerData } from 'node:worker_threads'
import { asFreightError, FreightError, toPlainError } from '../job/errors.ts'
import { createParts } from '../parts.ts'
import { createAnswers } from './probe-answers.ts'
import type { FromProbeThread, ProbeThreadData, ToProbeThread } from './probe-messages.ts'

const port = parentPort
if (!port) throw new Error('probe-thread.ts is started by probe.ts only')

const { config } = workerData as ProbeThreadData
const parts = createParts(config)
for (const name of Object.keys(config.sources).slice(0, 1)) parts.source(name)
const answers = createAnswers(parts)
const send = (message: FromProbeThread): void => port.postMessage(message)

port.on('message', async (message: ToProbeThread) => {
  if (message.type === 'close') {
    send({ type: 'closing' })
    await parts.close().finally(() => process.exit())
    return
  }
  const { id, ms, question } = message
  const overdue = new FreightError(
    'SOURCE_UNAVAILABLE',
    `The source did not answer within ${ms} ms; try again, or narrow the question.`,
  )
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(overdue), ms)
  try {
    send({ id, answer: await answers.answer(question, ms, controller.signal) })
  } catch (thrown) {
    const error = asFreightError(controller.signal.aborted ? overdue : thrown)
    const { cause } = error
    send({ id, error: toPlainError(error), detail: cause instanceof Error ? (cause.stack ?? cause.message) : null })
  } finally {
    clearTimeout(timer)
  }
})
