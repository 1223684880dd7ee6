/** Rows that the application makes: the same promises on a real server, whose threads import the configuration again. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Body, create, download, ended, makeKey, makeSite, type Server, type Site, startServer, until } from '../rig.ts'
import { storedFiles } from '../stored-files.ts'
import { TIMED } from '../timed.ts'

let site: Site
let server: Server
let key: string
beforeAll(async () => {
  site = await makeSite('{}')
  // As an application has it: the resources in a module of their own, the configuration beside it.
  const module = await readFile(join(import.meta.dirname, '..', 'code-module.ts'), 'utf8')
  const source = join(import.meta.dirname, '..', '..', 'src', 'job', 'code-resource.ts')
  await writeFile(join(site.folder, 'resources.ts'), module.replace('../src/job/code-resource.ts', source))
  await writeFile(
    join(site.folder, 'freight.config.ts'),
    "import resources from './resources.ts'\nexport default { code: resources.code, resources: {}, requestsPerMinute: 1000000 }\n",
  )
  key = await makeKey(site, 'acme')
  server = await startServer(site)
})
afterAll(() => site.remove())

async function exported(body: Record<string, unknown>): Promise<Body> {
  return ended(server, key, await create(server, key, body))
}

it('is exported as rows of a table are, exactly', async () => {
  const done = await exported({ resource: 'orders', filters: { id_gt: 0 } })
  expect(done).toMatchObject({
    status: 'completed',
    results: { successful: 3, warnings: 0, errors: 0 },
    progress: { processed: 3, total: 3 },
  })
  const bytes = await download(server, key, done.id)
  expect(parse(bytes?.toString() ?? '')).toEqual([
    ['id', 'total', 'at', 'tags', 'photo', 'note'],
    ['1', '1.50', '2024-02-29T12:00:00.123Z', '["a",1]', '\\x01ff', ''],
    ['9007199254740993', '', '', '', '', 'line\n"two"'],
    ['3', '', '', '', '', ''],
  ])
  const json = await exported({ resource: 'orders', format: 'json', fields: ['id', 'tags', 'total'] })
  expect((await download(server, key, json.id))?.toString()).toBe(
    '[\n{"id":1,"tags":["a",1],"total":1.50},\n{"id":9007199254740993,"tags":null,"total":null},\n{"id":3,"tags":null,"total":null}\n]\n',
  )
})

it('a wrong row fails the export and is its errors log, or is left out, counted and listed; the sums hold', async () => {
  const failed = await exported({ resource: 'wrong' })
  expect(failed).toMatchObject({
    status: 'failed',
    error: { code: 'SOURCE_FAILED', message: expect.stringMatching(/^Row 3 of "wrong", field "note"/) },
    errors_log: [{ resource: 'wrong', row: 3, key: '3', column: 'note' }],
    files: [],
  })
  const done = await exported({ resource: 'wrong', on_row_error: 'skip', split: { rows: 5 } })
  expect(done).toMatchObject({
    status: 'completed',
    on_row_error: 'skip',
    results: { successful: 12, warnings: 0, errors: 6 },
    progress: { processed: 18, total: 18 },
  })
  expect(done.errors_log.map(({ row }: Body) => row)).toEqual([3, 6, 9, 12, 15, 18])
  expect(done.manifest.files.map(({ rows }: Body) => rows)).toEqual([5, 5, 2])
  expect(JSON.stringify(done)).not.toContain('secret of the getter')
})

it("is the caller's own: another tenant's rows are passed over", async () => {
  const done = await exported({ resource: 'tenants', fields: ['id'] })
  expect((await download(server, key, done.id))?.toString()).toBe('id\n1\n3\n5\n')
  const other = await makeKey(site, 'globex')
  const theirs = await ended(server, other, await create(server, other, { resource: 'tenants', fields: ['id'] }))
  expect((await download(server, other, theirs.id))?.toString()).toBe('id\n2\n4\n6\n')
})

it('what its code cannot do is refused before anything is stored', async () => {
  for (const [body, code] of [
    [{ resource: 'orders', filters: { total_gt: 1 } }, 'FILTER_UNKNOWN'],
    [{ resource: 'orders', sort: ['-id'] }, 'SORT_UNKNOWN'],
    [{ resource: 'orders', on_row_error: 'ignore' }, 'VALIDATION_FAILED'],
  ] as const) {
    expect(await server.call(key, 'POST', '/exports', body)).toMatchObject({ status: 422, body: { code } })
  }
})

it('shows progress, and is interrupted within two seconds, also where the code never lets go', TIMED, async () => {
  for (const resource of ['slow', 'silent', 'stuck']) {
    const id = await create(server, key, { resource })
    await until(
      server,
      key,
      id,
      ({ status, progress }) => status === 'in_progress' && (resource !== 'slow' || progress.processed > 0),
    )
    const began = performance.now()
    const { body } = await server.call(key, 'POST', `/exports/${id}/interrupt`)
    expect(body.status).toBe('interrupted')
    await expect.poll(() => storedFiles(site)).not.toContainEqual(expect.stringContaining(id))
    expect(performance.now() - began).toBeLessThan(4_000)
  }
  // The threads that were held are gone: the next exports run.
  const after = await Promise.all([exported({ resource: 'orders' }), exported({ resource: 'orders' })])
  expect(after.map(({ status }) => status)).toEqual(['completed', 'completed'])
})

it('code that fails says so without its own words, and the run is tried again', async () => {
  const id = await create(server, key, { resource: 'failing' })
  const seen: Body = await until(server, key, id, ({ attempt, error }) => attempt >= 1 && error !== null)
  expect(seen.error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.not.stringContaining('password') })
  expect(server.output()).toContain('password of the other API')
  await server.call(key, 'POST', `/exports/${id}/cancel`)
})

it('is a source of the command line, too', async () => {
  const run = await site.command([
    'export',
    '--source',
    'code:resources.ts',
    '--resource',
    'wrong',
    '--on-row-error',
    'skip',
    '--output',
    '-',
  ])
  expect(run.code).toBe(0)
  expect(parse(run.stdout)).toHaveLength(13)
  expect(run.stderr).toContain('6 left out')
  const configured = await site.command(['export', '--resource', 'orders', '--limit', '1', '--fields', 'id', '--output', '-'])
  expect(configured).toMatchObject({ code: 0, stdout: 'id\n1\n' })
})
