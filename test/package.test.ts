/** What is published works from an empty folder: the command, its threads and its migrations. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'freight-package-'))
const app = join(folder, 'app')

function inApp(file: string, ...args: string[]): string {
  return execFileSync(file, args, { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

beforeAll(() => {
  mkdirSync(app)
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).replace(/^[^[]*/, ''),
  )
  writeFileSync(join(app, 'package.json'), '{"name":"app","private":true,"type":"module"}')
  inApp('npm', 'install', '--no-audit', '--no-fund', join(folder, packed.filename))
  const db = new Database(join(app, 'app.db'))
  db.exec(
    "create table notes (id integer primary key, tenant text, body text); insert into notes values (1, 'acme', 'a,b'), (2, 'globex', null), (3, 'acme', '')",
  )
  db.close()
}, 240_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('npx freight export writes a file from the installed package', () => {
  inApp('npx', 'freight', 'export', '--source', 'sqlite:app.db', '--resource', 'notes', '--output', 'notes.csv')
  expect(readFileSync(join(app, 'notes.csv'), 'utf8')).toBe('id,tenant,body\n1,acme,"a,b"\n2,globex,\n3,acme,""\n')
})

it('npx freight serve runs an export from the installed package', { timeout: 60_000 }, async () => {
  writeFileSync(
    join(app, 'freight.config.ts'),
    `import { defineConfig } from 'freight'\nexport default defineConfig({ source: 'sqlite:app.db', resources: { notes: { tenant: 'tenant' } } })\n`,
  )
  const secret = /frt_live_\S+/.exec(inApp('npx', 'freight', 'keys', 'create', '--tenant', 'acme', '--name', 'ci'))?.[0]
  const server = spawn('npx', ['freight', 'serve'], {
    cwd: app,
    env: { ...process.env, PORT: '0' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const url = await addressOf(server)
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json', prefer: 'wait=20' }
    const created = await fetch(`${url}/exports`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ resource: 'notes', format: 'csv' }),
    })
    const job = (await created.json()) as { id: string; status: string }
    expect(job).toMatchObject({ status: 'completed' })
    const file = await fetch(`${url}/exports/${job.id}/file`, { headers: { authorization: `Bearer ${secret}` } })
    expect(await file.text()).toBe('id,tenant,body\n1,acme,"a,b"\n3,acme,""\n')
  } finally {
    if (server.pid) process.kill(-server.pid, 'SIGTERM')
    await setTimeout(500)
  }
})

function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const read = (chunk: unknown): void => {
      said += String(chunk)
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
      if (url) resolve(url)
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.once('exit', () => reject(new Error(`the server ended: ${said}`)))
  })
}
