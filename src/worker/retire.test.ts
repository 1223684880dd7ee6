import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { retire } from './retire.ts'

it('a thread that is in the middle of something comes to its end by itself', async () => {
  const busy = new Worker(
    `const { parentPort } = require('node:worker_threads')
    parentPort.on('message', ({ type }) => { parentPort.postMessage(type + ' heard'); process.exit(7) })
    const until = Date.now() + 200
    while (Date.now() < until);`,
    { eval: true },
  )
  const said: unknown[] = []
  busy.on('message', (message) => said.push(message))
  busy.on('exit', (code) => said.push(code))
  await retire(busy, 10_000)
  expect(said).toEqual(['close heard', 7])
})

it('a thread that has heard goes by itself, however long its driver takes to load', async () => {
  const loading = new Worker(
    `const { parentPort } = require('node:worker_threads')
    parentPort.on('message', () => {
      parentPort.postMessage({ type: 'closing' })
      setTimeout(() => process.exit(7), 600)
    })`,
    { eval: true },
  )
  const exited = new Promise((resolve) => loading.once('exit', resolve))
  await new Promise((resolve) => loading.once('online', resolve))
  await retire(loading, 300)
  expect(await exited).toBe(7)
})

it('a thread that hears nothing is ended by force, and one that has ended already is no fault', async () => {
  const deaf = new Worker('for (;;);', { eval: true })
  await retire(deaf, 100)
  expect(deaf.threadId).toBe(-1)
  await retire(deaf, 10_000)
})

it('what a thread still throws while it ends concerns nobody', async () => {
  const thread = new Worker("require('node:worker_threads').parentPort.on('message', () => { throw new Error('late') })", {
    eval: true,
  })
  await retire(thread, 10_000)
  expect(thread.threadId).toBe(-1)
})
