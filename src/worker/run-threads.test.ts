/** A run's thread ends beside everything else that a server does. */
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MACHINE } from '../../test/contracts/row-text.ts'
import { part } from '../../test/contracts/sample-part.ts'
import { resolveConfig } from '../config.ts'
import type { RunInput } from './run.ts'
import { createRunThreads } from './run-threads.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-threads-'))
  writeFileSync(join(folder, 'orders.csv'), 'id\n1\n')
})
afterAll(() => rmSync(folder, { recursive: true }))

it('closes no descriptor that is of others by then', async () => {
  const config = resolveConfig(
    { source: 'csv:orders.csv', resources: { orders: { tenant: 'shared' } }, concurrency: 1 },
    folder,
    {},
  )
  const threads = createRunThreads(config)
  const spec: RunInput['spec'] = {
    source: 'main',
    parts: [part('orders', ['id'], { primaryKey: [] })],
    format: 'csv',
    compression: null,
    output: MACHINE,
    retentionMs: 1_000,
  }
  const input = { exportId: 'export', run: 1, spec, createdAt: new Date(), noProgressMs: 60_000, maxRunMs: 60_000 }
  const silent = { progress() {}, file() {}, async session() {}, detail() {} }
  const { progress } = await threads.run(input, silent, new AbortController().signal)
  // Before the thread has ended: these get the numbers of the pipes that its DuckDB process had.
  const others = Array.from({ length: 100 }, () => openSync(devNull, 'r'))
  await threads.close()
  expect(progress.processed).toBe(1)
  for (const other of others) expect(() => fstatSync(other)).not.toThrow()
  for (const other of others) closeSync(other)
})
