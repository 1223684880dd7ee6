import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'

const STEPS = `
  const { parentPort, Worker } = require('node:worker_threads')
  const { getPriority } = require('node:os')
  import(${JSON.stringify(new URL('./priority.ts', import.meta.url).href)}).then(({ yieldToServing }) => {
    yieldToServing()
    const inner = new Worker("require('node:worker_threads').parentPort.postMessage(require('node:os').getPriority())", { eval: true })
    inner.once('message', (child) => parentPort.postMessage({ own: getPriority(), child }))
  })`

it.runIf(process.platform === 'linux')('a thread that yields takes the threads it starts along, and nobody else', async () => {
  const before = getPriority()
  const worker = new Worker(STEPS, { eval: true })
  const { own, child } = await new Promise<{ own: number; child: number }>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
  await worker.terminate()
  expect(own).toBeGreaterThan(before)
  expect(child).toBe(own)
  expect(getPriority()).toBe(before)
})
