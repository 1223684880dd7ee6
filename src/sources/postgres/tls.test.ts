/** Encrypted connections: what is trusted, and what a person is told when something is not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { OTHER_CERTIFICATE, SERVER_CERTIFICATE, SERVER_KEY } from '../../../test/certificates.ts'
import { exportFile } from '../../../test/one-export.ts'
import { createDatabase } from '../../../test/postgres.ts'
import { type PostgresServer, startPostgres } from '../../../test/postgres-server.ts'

let folder: string
let server: PostgresServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freight-tls-'))
  writeFileSync(join(folder, 'server.crt'), SERVER_CERTIFICATE)
  writeFileSync(join(folder, 'other.crt'), OTHER_CERTIFICATE)
  server = await startPostgres({
    files: { 'server.crt': SERVER_CERTIFICATE, 'server.key': SERVER_KEY },
    settings: ['ssl=on'],
  })
  await ask('create view connections as select ssl from pg_stat_ssl where pid = pg_backend_pid()')
})

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

async function ask(sql: string): Promise<string> {
  const client = new pg.Client(address('sslmode=no-verify'))
  await client.connect()
  const { rows } = await client.query<Record<string, unknown>>(sql)
  await client.end()
  return String(Object.values(rows[0] ?? {})[0])
}

function address(query: string, host = 'localhost'): string {
  const url = new URL(`${server.url}postgres`)
  url.hostname = host
  return `${url.href}?${query}`
}

const exported = (url: string) => exportFile({ url }, { resource: 'connections', options: { header: false } })

describe('an encrypted connection', () => {
  it.each(['require', 'verify-ca', 'verify-full'])('is made where the certificate is trusted: sslmode=%s', async (mode) => {
    const warned = vi.spyOn(process, 'emitWarning')
    const trusted = `sslmode=${mode}&sslrootcert=${join(folder, 'server.crt')}`
    expect((await exported(address(trusted))).text).toBe('t\n')
    expect(warned).not.toHaveBeenCalled()
    warned.mockRestore()
  })

  it('is made without asking who the server is where that is wanted', async () => {
    expect((await exported(address('sslmode=no-verify'))).text).toBe('t\n')
    expect((await exported(address('uselibpqcompat=true&sslmode=require'))).text).toBe('t\n')
    expect((await exported(address('sslmode=disable'))).text).toBe('f\n')
  })

  it.each([
    ['nobody signed for', (): string => address('sslmode=require'), /nobody whom this machine trusts.*sslrootcert/],
    [
      'another has signed',
      (): string => address(`sslmode=verify-full&sslrootcert=${join(folder, 'other.crt')}`),
      /nobody whom this machine trusts.*sslrootcert/,
    ],
    [
      'is of another host',
      (): string => address(`sslmode=verify-full&sslrootcert=${join(folder, 'server.crt')}`, '127.0.0.1'),
      /for another host name/,
    ],
  ])('to a server whose certificate %s is refused, and it is said why', async (_, url, said) => {
    const error: unknown = await exported(url()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(said) })
    expect(String(error)).not.toMatch(/canary|127\.0\.0\.1|freight-tls/)
  })

  it('needs certificate files that can be read', async () => {
    writeFileSync(join(folder, 'broken.crt'), 'no certificate')
    for (const name of ['missing.crt', 'broken.crt']) {
      const error: unknown = await exported(address(`sslrootcert=${join(folder, name)}`)).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringContaining('sslrootcert') })
      expect(String(error)).not.toMatch(/freight-tls/)
    }
  })
})

describe('a server', () => {
  it('that takes only encrypted connections says so', async () => {
    const file = await ask(`select current_setting('hba_file')`)
    const rules = readFileSync(file, 'utf8')
    writeFileSync(file, rules.replaceAll(/^host /gm, 'hostssl '))
    await ask('select pg_reload_conf()')
    const said = { code: 'SOURCE_UNAVAILABLE', message: expect.stringContaining('sslmode=verify-full') }
    await vi.waitFor(() => expect(exported(address('sslmode=disable'))).rejects.toMatchObject(said), {
      timeout: 15_000,
      interval: 50,
    })
  })

  it('that takes none says so', async () => {
    const plain = await createDatabase()
    await expect(exported(`${plain.url}?sslmode=verify-full`)).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringContaining('takes no encrypted connections'),
    })
    await plain.drop()
  })
})
