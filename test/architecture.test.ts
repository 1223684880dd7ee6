/** The corridor's arrows are checked by dependency-cruiser; here it is checked that the checker sees. */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const planted: string[] = []

function cruise(): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs', 'src'],
    { cwd: root, encoding: 'utf8' },
  )
  return { status, output: stdout + stderr }
}

function plant(file: string, source: string): void {
  planted.push(join(root, file))
  writeFileSync(join(root, file), source)
}

afterEach(() => {
  for (const file of planted.splice(0)) rmSync(file, { force: true })
})

it('no room imports what it may not', { timeout: 60_000 }, () => {
  const { status, output } = cruise()
  expect(output).toMatch(/no dependency violations found \((?!0 modules)/)
  expect(status).toBe(0)
})

it('forbidden imports of the arrows are refused by name', { timeout: 60_000 }, () => {
  plant('src/job/planted.ts', `import '../store/store.ts'\n`)
  plant('src/storage/planted.ts', `import '../formats/csv.ts'\n`)
  plant('src/http/planted.ts', `import '../worker/worker.ts'\nimport '../storage/local.ts'\n`)
  plant('src/worker/planted.ts', `import '../exports/create.ts'\n`)
  plant('src/webhooks/planted.ts', `import '../protocols/protocol.ts'\n`)
  plant('src/exports/planted.ts', `import '../webhooks/sender.ts'\n`)
  plant('src/queue/planted.ts', `import type { There } from './replanted.ts'\nexport type Here = There | 1\n`)
  plant('src/queue/replanted.ts', `import type { Here } from './planted.ts'\nexport type There = Here[]\n`)
  const { status, output } = cruise()
  expect(status).not.toBe(0)
  expect(output).toContain('job-imports-nothing: src/job/planted.ts')
  expect(output).toContain('back-end-knows-its-contract-and-job (storage): src/storage/planted.ts')
  expect(output).toContain('callers-never-import-workers: src/http/planted.ts')
  expect(output).toContain('only-service-and-parts-name-a-back-end: src/http/planted.ts')
  expect(output).toContain('workers-never-import-callers: src/worker/planted.ts')
  expect(output).toContain('webhooks-know-no-protocol: src/webhooks/planted.ts')
  expect(output).toContain('only-the-service-sends: src/exports/planted.ts')
  expect(output).toContain('no-circles: src/queue/planted.ts')
})
