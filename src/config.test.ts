import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadRefusal } from '../test/config-refusal.ts'
import type { FreightConfig } from './config/freight-config.ts'
import { loadConfig } from './config.ts'

const MINIMAL: FreightConfig = { source: 'sqlite:shop.db', resources: { orders: { tenant: 'tenant_id' } } }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-config-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('where a configuration comes from', () => {
  test('without a file and without a fallback nothing is offered, and everything has its default', async () => {
    expect(await loadConfig({ cwd: folder, env: {} })).toEqual({
      host: '127.0.0.1',
      port: 8080,
      dataDir: join(folder, '.freight'),
      publicUrl: null,
      secret: null,
      secretPrevious: null,
      logLevel: 'info',
      sources: {},
      resources: {},
      delivery: { hosts: null, networks: [], s3Endpoint: null, hostKeys: {} },
      protocols: {},
      concurrency: 2,
      retentionMs: 604_800_000,
      linkMs: 300_000,
      drainMs: 30_000,
      maxRunMs: 43_200_000,
      noProgressMs: 300_000,
      requestsPerMinute: 1_200,
      issuers: [],
      limits: {
        usual: { running: null, waiting: null, rowsPerDay: null, bytesPerDay: null, requestsPerMinute: null },
        tenants: {},
      },
      tokenMs: 3_600_000,
      auditMs: 365 * 86_400_000,
    })
  })

  test('freight.config.ts in the folder is loaded as TypeScript, its paths relative to itself', async () => {
    const text = `const db: string = 'data/shop.db'
      export default { source: \`sqlite:\${db}\`, resources: { orders: { tenant: 'tenant_id', maxRows: 10 } } }`
    await writeFile(join(folder, 'freight.config.ts'), text)
    const config = await loadConfig({ cwd: folder, env: {} })
    expect(config.sources).toEqual({
      main: { url: `sqlite:${join(folder, 'data/shop.db')}`, consistency: 'snapshot', parallel: 1 },
    })
    expect(config.resources).toEqual({ orders: { tenant: 'tenant_id', maxRows: 10, source: 'main', table: 'orders' } })
    expect(structuredClone(config)).toEqual(config)
  })

  test('FREIGHT_CONFIG names another file, and its folder is the base', async () => {
    await mkdir(join(folder, 'etc'))
    await writeFile(join(folder, 'etc/mine.mjs'), `export default ${JSON.stringify(MINIMAL)}`)
    const config = await loadConfig({ cwd: folder, env: { FREIGHT_CONFIG: 'etc/mine.mjs', FREIGHT_DATA: 'var' } })
    expect(config.sources.main?.url).toBe(`sqlite:${join(folder, 'etc/shop.db')}`)
    expect(config.dataDir).toBe(join(folder, 'var'))
  })

  test('a fallback stands in for a missing file, its paths relative to the data folder', async () => {
    const config = await loadConfig({ cwd: folder, env: { FREIGHT_DATA: 'var' }, fallback: MINIMAL })
    expect(config.sources.main?.url).toBe(`sqlite:${join(folder, 'var/shop.db')}`)
  })

  test('a fallback does not replace a file that is there', async () => {
    await writeFile(join(folder, 'freight.config.js'), `export default ${JSON.stringify({ ...MINIMAL, concurrency: 7 })}`)
    expect((await loadConfig({ cwd: folder, env: {}, fallback: MINIMAL })).concurrency).toBe(7)
  })
})

describe('a file that cannot be used is one line with its name', () => {
  test('a file that was named and is missing', async () => {
    expect(await loadRefusal({ cwd: folder, file: 'mine.ts' })).toBe(
      'mine.ts: there is no such file; name another with FREIGHT_CONFIG.',
    )
  })

  test('a folder, and a file of another kind', async () => {
    await mkdir(join(folder, 'freight.config.ts'))
    expect(await loadRefusal({ cwd: folder })).toBe('freight.config.ts: is a folder; name the file in it.')
    await writeFile(join(folder, 'freight.yaml'), 'a: 1')
    expect(await loadRefusal({ cwd: folder, file: 'freight.yaml' })).toContain('freight.yaml: must end in .ts')
  })

  test('a file larger than a configuration can be', async () => {
    await writeFile(join(folder, 'freight.config.ts'), `// ${'x'.repeat(1024 * 1024)}`)
    expect(await loadRefusal({ cwd: folder })).toBe('freight.config.ts: is larger than 1 MB; this is no configuration.')
  })

  test.each([
    ['export default {\n  a: \n  b c\n}\n', /^freight\.config\.ts: (line 3 could not be read|could not be loaded): /],
    ["import x from 'no-such-package'\nexport default x", /^freight\.config\.ts: could not be loaded: .*no-such-package/],
    [
      "throw new Error('no postgres://me:hunter2@db/x')",
      /^freight\.config\.ts: could not be loaded: no postgres:\/\/\*\*\*@db\/x$/,
    ],
    ['export const config = {}', /^freight\.config\.ts: has no default export; write /],
    ['', /^freight\.config\.ts: has no default export; write /],
    ['export default null', /^freight\.config\.ts: has no default export; write /],
    ['export default 5', /^freight\.config\.ts: must be an object, not a number\.$/],
    ['export default []', /^freight\.config\.ts: must be an object, not a list\.$/],
    ['export default async () => ({})', /^freight\.config\.ts: must be an object, not a function\.$/],
    ['export default Promise.resolve({})', /^freight\.config\.ts: must be an object, not a promise\.$/],
  ])('the text %j', async (text, message) => {
    await writeFile(join(folder, 'freight.config.ts'), text)
    const refused = await loadRefusal({ cwd: folder })
    expect(refused).toMatch(message)
    expect(refused).not.toContain(folder)
    expect(refused).not.toContain('\n')
  })
})
