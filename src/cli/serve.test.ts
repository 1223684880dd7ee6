/** `freight serve`, with and without --demo, and the commands that work beside it: in child processes, over real HTTP. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { parse } from 'csv-parse/sync'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Ended, ended, freight, startFreight } from '../../test/command-line.ts'
import { makeSampleData } from './demo/sample-data.ts'

const SMALL = { customers: 300, skus: 100, orders: 900, clients: 100, articles: 100, messages: 300 }

let sample = ''
let folder = ''
const running: ChildProcess[] = []

beforeAll(() => {
  sample = mkdtempSync(join(tmpdir(), 'freight-demo-'))
  makeSampleData(join(sample, '.freight', 'sample.db'), SMALL)
})

afterAll(() => rmSync(sample, { recursive: true }))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-serve-'))
})

afterEach(() => {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

interface Serving {
  readonly child: ChildProcess
  readonly output: () => string
  readonly all: Promise<Ended>
}

/** Resolves when standard output holds `ready`. */
async function serve(args: readonly string[], ready: RegExp, cwd = folder, env: Record<string, string> = {}): Promise<Serving> {
  const child = startFreight(['serve', ...args], { cwd, env: { PORT: '0', ...env } })
  running.push(child)
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  const all = ended(child)
  for (let waited = 0; !ready.test(output); waited += 20) {
    if (child.exitCode !== null || waited > 20_000) throw new Error(`not ready: ${output} ${(await all).stderr}`)
    await delay(20)
  }
  return { child, output: () => output, all }
}

function writeShop(rows = 1_000): void {
  const database = new Database(join(folder, 'shop.db'))
  database.pragma('journal_mode = WAL')
  database.exec(`create table orders (id integer primary key, tenant_id text, note text);
    with recursive n (value) as (select 1 union all select value + 1 from n where value < ${rows})
      insert into orders select value, iif(value % 2, 'acme', 'globex'), 'a, "b"' from n`)
  database.close()
}

test('without a config nothing is offered, and it is said how to get one', async () => {
  const { child, output, all } = await serve([], /freight init/)
  expect(output()).toMatch(/^Freight answers at http:\/\/127\.0\.0\.1:\d+ /)
  expect(output()).toContain('nothing is offered')
  child.kill('SIGTERM')
  expect(await all).toMatchObject({ code: 0 })
})

test('init, keys and serve lead from a database to a download that verify finds right', async () => {
  writeShop()
  expect(await freight(['init', '--source', 'sqlite:shop.db'], { cwd: folder })).toMatchObject({ code: 0 })
  expect(await freight(['init', '--source', 'sqlite:shop.db'], { cwd: folder })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('exists already'),
  })
  const { child, output, all } = await serve([], /Resources: orders/)
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0]
  // Made beside the running server.
  const key = await freight(['keys', 'create', '--tenant', 'globex', '--name', 'ci'], { cwd: folder })
  expect(key.code).toBe(0)
  const headers = { authorization: `Bearer ${key.stdout.trim()}` }
  const created = await fetch(`${url}/exports`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', prefer: 'wait=20' },
    body: '{"resource":"orders","format":"csv"}',
  })
  const answer = (await created.json()) as { id: string; status: string }
  expect(answer.status).toBe('completed')
  writeFileSync(join(folder, 'answer.json'), JSON.stringify(answer))
  const file = await fetch(`${url}/exports/${answer.id}/file`, { headers })
  writeFileSync(join(folder, 'mine.csv'), Buffer.from(await file.arrayBuffer()))
  const rows = parse(readFileSync(join(folder, 'mine.csv')), { columns: true }) as { tenant_id: string }[]
  expect([rows.length, new Set(rows.map((row) => row.tenant_id))]).toEqual([500, new Set(['globex'])])
  expect(await freight(['verify', 'answer.json', 'mine.csv'], { cwd: folder })).toMatchObject({ code: 0 })

  const list = await freight(['keys', 'list'], { cwd: folder })
  expect(list.stdout).toContain('globex')
  expect(list.stdout).not.toContain(key.stdout.trim())
  const id = list.stdout.split('\n')[1]?.split(' ')[0] ?? ''
  expect(await freight(['keys', 'revoke', id], { cwd: folder })).toMatchObject({ code: 0 })
  expect(await freight(['keys', 'revoke', 'nobody'], { cwd: folder })).toMatchObject({ code: 1 })
  const status = await freight(['migrate', '--status'], { cwd: folder })
  expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/applied 20/) })
  await expect.poll(async () => (await fetch(`${url}/exports`, { headers })).status).toBe(401)
  child.kill('SIGINT')
  expect(await all).toMatchObject({ code: 0 })
})

test('a port that is taken is told in one line that names PORT', async () => {
  const other = createServer()
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port))
  })
  try {
    const { code, stdout, stderr } = await freight(['serve', '--port', String(port)], { cwd: folder })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    const line = stderr.split('\n').filter((text) => text.startsWith('error:'))
    expect(line).toEqual([expect.stringMatching(/PORT.*\(PORT_TAKEN\)$/)])
  } finally {
    other.close()
  }
})

test('a second server on the same data folder is refused in one line', async () => {
  const { child, all } = await serve([], /answers/)
  const { code, stderr } = await freight(['serve', '--port', '0'], { cwd: folder })
  expect(code).toBe(1)
  expect(stderr).toMatch(/error: [^\n]+ \(ALREADY_RUNNING\)\n$/)
  child.kill('SIGTERM')
  await all
})

test('the first SIGTERM lets a running export finish, the second ends the process at once', async () => {
  writeShop(3_000)
  const database = new Database(join(folder, 'shop.db'))
  database.exec('create view pairs as select a.id as a, b.id as b from orders a, orders b')
  database.close()
  writeFileSync(
    join(folder, 'freight.config.ts'),
    "export default { source: 'sqlite:shop.db', resources: { pairs: { tenant: 'shared' } } }",
  )
  const key = (await freight(['keys', 'create', '--tenant', 'acme', '--name', 'ci'], { cwd: folder })).stdout.trim()
  const { child, output, all } = await serve([], /Resources: pairs/)
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0]
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const created = await fetch(`${url}/exports`, { method: 'POST', headers, body: '{"resource":"pairs","format":"csv"}' })
  expect(created.status).toBe(201)
  const { id } = (await created.json()) as { id: string }
  const running = async () => ((await (await fetch(`${url}/exports/${id}`, { headers })).json()) as { status: string }).status
  await expect.poll(running, { timeout: 10_000 }).toBe('in_progress')
  child.kill('SIGTERM')
  await expect.poll(output).toContain('Stopping')
  expect(child.exitCode).toBeNull()
  child.kill('SIGTERM')
  expect(await all).toMatchObject({ code: 143 })
})

test('the demo goes from nothing to a file, and its curl commands work', { timeout: 60_000 }, async () => {
  const { child, output, all } = await serve(['--demo'], /Ctrl-C stops it/, sample)
  const path = /orders are in (\S+), which begins:/.exec(output())?.[1] ?? ''
  expect(path).toMatch(/^\.freight\/.*\.csv$/)
  const text = readFileSync(join(sample, path), 'utf8')
  const rows = parse(text, { columns: true }) as { tenant_id: string }[]
  expect(new Set(rows.map((row) => row.tenant_id))).toEqual(new Set(['acme']))
  expect(output()).toContain(`${rows.length} orders are in`)
  expect(output()).toContain(`which begins:\n\n${text.split('\n').slice(0, 3).join('\n')}\n`)

  const url = /API +(\S+)/.exec(output())?.[1] ?? ''
  expect((await fetch(`${url}/docs`)).status).toBe(200)
  const [, wires = ''] = /^at (\/api\/exports.*)\.$/m.exec(output()) ?? []
  const allowed = wires
    .split(/, | and /)
    .map(async (path) => (await fetch(url + path, { method: 'OPTIONS' })).headers.get('allow'))
  expect(await Promise.all(allowed)).toEqual(Array.from({ length: 4 }, () => expect.stringContaining('POST')))
  const curls = output()
    .split('\n')
    .filter((line) => line.startsWith('  curl '))
  expect(curls).toHaveLength(2)
  const [created] = curls.map((curl) => execFileSync('bash', ['-c', `${curl} -s --fail`], { cwd: folder, encoding: 'utf8' }))
  expect(JSON.parse(created ?? '')).toMatchObject({ resource: 'customers' })
  expect(readFileSync(join(folder, 'orders.csv'), 'utf8')).toBe(text)

  const kept = join(sample, '.freight', 'demo-key')
  expect(statSync(kept).mode & 0o777).toBe(0o600)
  expect(output()).toContain(readFileSync(kept, 'utf8').trim())
  expect(existsSync(join(sample, '.freight', 'freight.log'))).toBe(true)
  // As npm does it: the terminal's own signal, and at once the one that is passed on.
  child.stdout?.once('data', () => child.kill('SIGINT'))
  child.kill('SIGINT')
  expect(await all).toMatchObject({ code: 0, stderr: '' })
})

test('the demo keeps its key from one start to the next, refuses a second one in one line, and makes another key when the records are gone', {
  timeout: 60_000,
}, async () => {
  const kept = () => readFileSync(join(sample, '.freight', 'demo-key'), 'utf8')
  const before = kept()
  const again = await serve(['--demo'], /Ctrl-C stops it/, sample)
  expect(kept()).toBe(before)
  const second = await freight(['serve', '--demo', '--port', '0'], { cwd: sample })
  expect(second.stderr).toMatch(/^error: [^\n]+ \(ALREADY_RUNNING\)\n$/)
  again.child.kill('SIGTERM')
  await again.all
  const database = join(sample, '.freight')
  for (const name of ['freight.db', 'freight.db-wal', 'freight.db-shm']) rmSync(join(database, name), { force: true })
  const anew = await serve(['--demo'], /Ctrl-C stops it/, sample)
  expect(kept()).not.toBe(before)
  anew.child.kill('SIGTERM')
  await anew.all
})
