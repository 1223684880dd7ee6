/** There is one form of a manifest, whether the API shows it or the command line writes it, and `freight verify` takes both. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { create, download, ended, makeKey, makeSite, type Server, type Site, startServer } from '../rig.ts'
import { writeTeamDatabase } from '../team-database.ts'

let site: Site
let server: Server
let key: string
beforeAll(async () => {
  site = await makeSite(`{
    source: 'sqlite:team.db',
    resources: { orders: { tenant: 'shared' } },
  }`)
  writeTeamDatabase(
    site,
    `create table orders (id integer primary key, email text, note text);
    insert into orders values (1, 'ada@example.com', '=1+1'), (2, null, 'a' || char(13) || 'b')`,
  )
  key = await makeKey(site, 'acme')
  server = await startServer(site)
})
afterAll(() => site.remove())

/** Which export and when are another's; what it is about is the same. */
const lasting = { export: expect.any(String), snapshot_at: expect.any(String) }

it('freight export writes the manifest that the API shows of the same export, member for member', async () => {
  const id = await create(server, key, { resource: 'orders', format: 'csv', options: { profile: 'excel', line_end: 'crlf' } })
  const { manifest } = await ended(server, key, id)
  expect(manifest.output).toMatchObject({ line_end: 'crlf', formula_guard: true })
  expect(manifest.changes).toEqual([{ resource: 'orders', column: 'note', cause: 'formula_guarded', cells: 1 }])
  const [file] = manifest.files

  const asked = ['--resource', 'orders', '--profile', 'excel', '--line-end', 'crlf', '--output', file.name]
  expect(await site.command(['export', ...asked, '--manifest', 'own.json'])).toMatchObject({ code: 0 })
  const written = JSON.parse(await readFile(join(site.folder, 'own.json'), 'utf8'))
  expect(written).toEqual({ ...manifest, ...lasting })
  expect(await readFile(join(site.folder, file.name))).toEqual(await download(server, key, id))

  await writeFile(join(site.folder, 'shown.json'), JSON.stringify(manifest))
  for (const receipt of ['own.json', 'shown.json'])
    expect(await site.command(['verify', receipt])).toMatchObject({ code: 0, stdout: expect.stringContaining('OK, 2 rows') })
})
