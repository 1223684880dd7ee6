import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadRefusal, refusalOf } from '../../test/config-refusal.ts'
import { loadConfig, resolveConfig } from '../config.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-config-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('resources in code', () => {
  const file = (code: string) => `export default { code: ${code}, resources: {} }`
  const good =
    "[{ name: 'balances', fields: { id: { type: 'integer', required: true } }, key: ['id'], tenant: 'id', maxRows: 5, rows: async function* () {} }]"
  const write = (text: string) => writeFile(join(folder, 'freight.config.ts'), text)

  test('are posted to threads as the path of their module, and offered as any other resource', async () => {
    await write(file(good))
    const config = await loadConfig({ cwd: folder, env: {} })
    expect(config.sources).toEqual({
      code: { url: `code:${join(folder, 'freight.config.ts')}`, consistency: 'snapshot', parallel: 1 },
    })
    expect(config.resources).toEqual({ balances: { source: 'code', table: 'balances', tenant: 'id', maxRows: 5 } })
    expect(structuredClone(config)).toEqual(config)
  })

  test('may come from a module beside a database', () => {
    const sources = { main: 'sqlite:shop.db', app: 'code:./exports.ts' }
    const config = resolveConfig({ sources, resources: { balances: { source: 'app', tenant: 'shared' } } }, folder, {})
    expect(config.sources.app?.url).toBe(`code:${join(folder, 'exports.ts')}`)
  })

  test.each([
    ['{}', 'code: must be a list'],
    ['[{}]', 'code.0.name: must be a name'],
    [good.replace('balances', 'a b'), 'code.0.name: must be a name'],
    [good.replace('async function* () {}', '[]'), 'code.0.rows: must be a function'],
    [good.replace("type: 'integer'", "type: 'int'"), 'code.0.fields.id: "int" is not a type'],
    [good.replace("key: ['id']", "key: ['ib']"), 'code.0.key: there is no field "ib". Did you mean "id"?'],
    [good.replace("tenant: 'id'", "tenant: 'shared'"), 'code.0.tenant: there is no field "shared"'],
    [good.replace('maxRows: 5', 'maxRows: 0'), 'code.0.maxRows: must be more than 0'],
    [good.replace('maxRows', 'maxRow'), 'code.0: there is no setting "maxRow". Did you mean "maxRows"?'],
    [`[...${good}, ...${good}]`, 'code.1.name: there is another resource "balances"'],
  ])('%s is refused with its place', async (code, message) => {
    await write(file(code))
    expect(await loadRefusal({ cwd: folder })).toContain(`freight.config.ts: ${message}`)
  })

  test('need a file, and names of their own', async () => {
    const code = [{ name: 'balances', fields: { id: 'integer' as const }, rows: async function* () {} }]
    expect(refusalOf(() => resolveConfig({ code, resources: {} }, folder, {}))).toContain("'code:path/to/module.ts'")
    await write(`export default { source: 'sqlite:a.db', code: ${good}, resources: { balances: { tenant: 'shared' } } }`)
    expect(await loadRefusal({ cwd: folder })).toContain('resources.balances: is the name of a resource in code, too')
    await writeFile(join(folder, 'other.ts'), `export default { sources: { code: 'sqlite:a.db' }, code: ${good}, resources: {} }`)
    expect(await loadRefusal({ cwd: folder, file: 'other.ts' })).toContain('sources.code: is the name of the source')
  })
})
