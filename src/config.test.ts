import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Environment, type FreightConfig, loadConfig, resolveConfig } from './config.ts'
import { FreightError } from './job/errors.ts'

const SECRET = 'q7Zp1vK9sX3mB8nC2dF6gH4jL0aW5eR_'
const MINIMAL: FreightConfig = { source: 'sqlite:shop.db', resources: { orders: { tenant: 'tenant_id' } } }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freight-config-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function refusalOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof FreightError && error.code === 'CONFIG_INVALID') return error.message
    throw error
  }
  throw new Error('nothing was refused')
}

async function loadRefusal(input: Partial<Parameters<typeof loadConfig>[0]> = {}): Promise<string> {
  const settled = await loadConfig({ cwd: folder, env: {}, ...input }).then(
    () => null,
    (error: unknown) => error,
  )
  return refusalOf(() => {
    if (settled) throw settled
  })
}

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
    expect(await loadRefusal({ file: 'mine.ts' })).toBe('mine.ts: there is no such file; name another with FREIGHT_CONFIG.')
  })

  test('a folder, and a file of another kind', async () => {
    await mkdir(join(folder, 'freight.config.ts'))
    expect(await loadRefusal()).toBe('freight.config.ts: is a folder; name the file in it.')
    await writeFile(join(folder, 'freight.yaml'), 'a: 1')
    expect(await loadRefusal({ file: 'freight.yaml' })).toContain('freight.yaml: must end in .ts')
  })

  test('a file larger than a configuration can be', async () => {
    await writeFile(join(folder, 'freight.config.ts'), `// ${'x'.repeat(1024 * 1024)}`)
    expect(await loadRefusal()).toBe('freight.config.ts: is larger than 1 MB; this is no configuration.')
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
    const refused = await loadRefusal()
    expect(refused).toMatch(message)
    expect(refused).not.toContain(folder)
    expect(refused).not.toContain('\n')
  })
})

const orders = { tenant: 'tenant_id' }
const withOrders = (more: object): unknown => ({ source: 'sqlite:shop.db', resources: { orders: { ...orders, ...more } } })
const withIssuer = (more: object): unknown => ({
  ...MINIMAL,
  issuers: [{ issuer: 'https://auth.example.com/', jwks: 'https://auth.example.com/jwks', audience: 'freight', ...more }],
})
const withSource = (source: unknown): unknown => ({ source, resources: { orders } })

test('issuers, limits and policies are resolved, with defaults for what is not said', () => {
  const issuer = { issuer: 'https://auth.example.com/', jwks: 'file:keys.json', audience: 'freight' }
  const limits = { waiting: 5, tenants: { acme: { waiting: 50, rowsPerDay: 1_000 } } }
  const resolved = resolveConfig({ ...MINIMAL, issuers: [issuer], limits } as FreightConfig, '/srv/app', {})
  expect(resolved.issuers).toEqual([
    {
      issuer: 'https://auth.example.com/',
      keys: { file: '/srv/app/keys.json' },
      audience: ['freight'],
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      claims: { tenant: 'tenant', scope: 'scope', mode: 'mode', subject: 'sub' },
      scopes: {},
    },
  ])
  expect(resolved.limits.usual).toMatchObject({ waiting: 5, rowsPerDay: null })
  expect(resolved.limits.tenants.acme).toMatchObject({ waiting: 50, rowsPerDay: 1_000, running: null })
})

test.each<[unknown, string]>([
  [{ ...MINIMAL, concurency: 2 }, 'there is no setting "concurency". Did you mean "concurrency"?'],
  [{ ...MINIMAL, concurrency: 0 }, 'concurrency: must be more than 0 and at most 64.'],
  [{ ...MINIMAL, concurrency: -1 }, 'concurrency: must be more than 0 and at most 64.'],
  [{ ...MINIMAL, concurrency: 1.5 }, 'concurrency: must be a whole number.'],
  [{ ...MINIMAL, concurrency: '2' }, 'concurrency: must be a number, not text.'],
  [{ ...MINIMAL, retentionDays: 1e9 }, 'retentionDays: must be more than 0 and at most 3650.'],
  [{ ...MINIMAL, linkMinutes: Number.NaN }, 'linkMinutes: must be more than 0 and at most 10080.'],
  [{ ...MINIMAL, linkMinutes: 10_081 }, 'linkMinutes: must be more than 0 and at most 10080.'],
  [{ ...MINIMAL, drainSeconds: Number.POSITIVE_INFINITY }, 'drainSeconds: must be more than 0 and at most 3600.'],
  [{ ...MINIMAL, maxRunHours: '12h' }, 'maxRunHours: must be a number, not text.'],
  [{ ...MINIMAL, requestsPerMinute: 0 }, 'requestsPerMinute: must be more than 0 and at most 1000000.'],
  [{ ...MINIMAL, issuers: {} }, 'issuers: must be a list of issuers.'],
  [withIssuer({ issuer: '' }), 'issuers.0.issuer: must not be empty.'],
  [withIssuer({ jwks: 'http://auth.example.com/jwks' }), 'issuers.0.jwks: must be an https address, or file:path/to/jwks.json.'],
  [withIssuer({ jwks: 'https://user:pw@auth.example.com' }), 'issuers.0.jwks: must be an https address'],
  [withIssuer({ audience: [] }), 'issuers.0.audience: must not be empty.'],
  [withIssuer({ audience: undefined }), 'issuers.0.audience: must be text, not nothing.'],
  [withIssuer({ algorithms: ['HS256'] }), 'issuers.0.algorithms: "HS256" is not an algorithm that tokens are taken with'],
  [withIssuer({ algorithms: ['none'] }), 'issuers.0.algorithms: "none" is not an algorithm'],
  [withIssuer({ claims: { tennant: 'x' } }), 'issuers.0.claims: there is no setting "tennant". Did you mean "tenant"?'],
  [withIssuer({ scopes: { a: ['two words'] } }), 'issuers.0.scopes.a.0: must be a scope'],
  [{ ...MINIMAL, limits: { waiting: 0 } }, 'limits.waiting: must be more than 0'],
  [{ ...MINIMAL, limits: { tenants: { acme: { rows: 1 } } } }, 'limits.tenants.acme: there is no setting "rows".'],
  [withOrders({ masks: { email: 'md5' } }), 'resources.orders.masks.email: must be one of hash, partial, null'],
  [withOrders({ masks: { email: { as: 'hash', unless: 'a b' } } }), 'resources.orders.masks.email.unless: must be a scope'],
  [withOrders({ fieldScopes: { email: '' } }), 'resources.orders.fieldScopes.email: must not be empty.'],
  [withOrders({ scope: { region: ['region'] } }), 'resources.orders.scope.region: must be text, not a list.'],
  [withOrders({ ownScope: 'yes' }), 'resources.orders.ownScope: must be true or false.'],
  [
    withSource({ url: 'sqlite:a.db', sessionVariables: { tenant: 'tenant' } }),
    'source.sessionVariables.tenant: a variable is two names',
  ],
  [{ source: 'sqlite:a.db' }, 'resources: is missing: it lists what may be exported.'],
  [{ source: 'sqlite:a.db', resources: {} }, 'resources: is empty: list at least one table that may be exported.'],
  [{ source: 'sqlite:a.db', resources: [] }, 'resources: must be an object, not a list.'],
  [{ resources: { orders } }, "says no source; write source: 'sqlite:path/to/database.db'."],
  [{ source: 'sqlite:a.db', sources: {}, resources: { orders } }, 'give source or sources, not both.'],
  [{ sources: {}, resources: { orders } }, 'sources: names no source.'],
  [
    { sources: { a: 'sqlite:a', b: 'sqlite:b' }, resources: { orders } },
    'resources.orders.source: is missing: there are several sources (a, b).',
  ],
  [withOrders({ source: 'mian' }), 'resources.orders.source: there is no source "mian". Did you mean "main"?'],
  [
    withSource('postgress://me:hunter2@db/x'),
    'source: "postgress:" is not a kind of source that is known; known: sqlite:path, postgres://user@host/database, duckdb:path, parquet:glob, csv:glob. Did you mean "postgres:"?',
  ],
  [
    withSource('sqlit:a.db'),
    'source: "sqlit:" is not a kind of source that is known; known: sqlite:path, postgres://user@host/database, duckdb:path, parquet:glob, csv:glob. Did you mean "sqlite:"?',
  ],
  [
    withSource('shop.db'),
    'source: begins with no kind of source; known: sqlite:path, postgres://user@host/database, duckdb:path, parquet:glob, csv:glob.',
  ],
  [
    withSource('postgres://me:hunter2@db'),
    'source: must name a host and a database: postgres://user:password@host:5432/database.',
  ],
  [withSource({ url: 'postgres://db/x', parallel: 0 }), 'source.parallel: must be more than 0 and at most 16.'],
  [withSource('sqlite:'), 'source: must name a database file: sqlite:path/to/database.db.'],
  [withSource('sqlite::memory:'), 'source: must name a database file: sqlite:path/to/database.db.'],
  [withSource('sqlite://shop.db'), 'source: has two slashes; write sqlite:path, or sqlite:/path for one from the root.'],
  [withSource({ url: 'sqlite:a', consistency: 'eventual' }), "source.consistency: must be 'snapshot' or 'locking'."],
  [withSource({ path: 'a' }), 'source: there is no setting "path".'],
  [withSource(['sqlite:a']), 'source: must be an object, not a list.'],
  [
    { source: 'sqlite:a', resources: { orders: {} } },
    'resources.orders.tenant: is missing: it says whose the rows are. Name the column',
  ],
  [withOrders({ tenant: '' }), 'resources.orders.tenant: must not be empty.'],
  [withOrders({ tenant: ['a'] }), 'resources.orders.tenant: must be text, not a list.'],
  [withOrders({ tennant: 'a' }), 'resources.orders: there is no setting "tennant". Did you mean "tenant"?'],
  [withOrders({ hidde: ['password_hash'] }), 'resources.orders: there is no setting "hidde". Did you mean "hide"?'],
  [withOrders({ hide: 'password_hash' }), 'resources.orders.hide: must be a list of names, not text.'],
  [withOrders({ hide: ['a', 5] }), 'resources.orders.hide.1: must be text, not a number.'],
  [
    withOrders({ rename: { a: 'b.c' } }),
    'resources.orders.rename.a: must be a name of letters, digits, "_" and "-", without dots or spaces.',
  ],
  [withOrders({ rename: { a: '-b' } }), 'resources.orders.rename.a: must be a name of letters'],
  [withOrders({ rename: { a: '*' } }), 'resources.orders.rename.a: must be a name of letters'],
  [withOrders({ rename: { a: 'constructor' } }), 'resources.orders.rename.a: "constructor" cannot be a name.'],
  [withOrders({ types: { a: 'timestmap' } }), 'resources.orders.types.a: "timestmap" is not a type; known: text, integer'],
  [withOrders({ maxRows: 0 }), 'resources.orders.maxRows: must be more than 0'],
  [withOrders({ relations: { buyer: true } }), 'resources.orders.relations.buyer: must be an object, not a boolean.'],
  [
    withOrders({ relations: { buyer: { resource: 'a', columns: 'b', foreignColumns: ['c'], kind: 'one' } } }),
    'resources.orders.relations.buyer.columns: must be a list of names, not text.',
  ],
  [
    withOrders({ relations: { buyer: { resource: 'a', columns: ['b'], foreignColumns: ['c'], kind: 'few' } } }),
    "resources.orders.relations.buyer.kind: must be 'one' or 'many'.",
  ],
  [{ source: 'sqlite:a', resources: { constructor: orders } }, 'resources.constructor: "constructor" cannot be a name.'],
  [{ source: 'sqlite:a', resources: { ['__proto__']: orders } }, 'resources: "__proto__" cannot be a name.'],
  [{ source: 'sqlite:a', resources: { __proto__: { orders } } }, 'resources: must be a plain object, without __proto__.'],
  [{ source: 'sqlite:a', resources: { '../orders': orders } }, 'resources.../orders: must be a name of letters'],
])('the configuration %j is refused with its place', (config, message) => {
  const refused = refusalOf(() => resolveConfig(config as FreightConfig, folder, {}))
  expect(refused).toContain(`configuration: ${message}`)
  expect(refused).not.toContain('hunter2')
})

test.each<[Environment, string]>([
  [{ PORT: '70000' }, 'PORT: must be a port'],
  [{ PORT: 'abc' }, 'PORT: must be a port'],
  [{ PORT: '-1' }, 'PORT: must be a port'],
  [{ PORT: '8080\n' }, 'PORT: must be a port'],
  [{ HOST: 'http://x' }, 'HOST: must be an address'],
  [{ HOST: 'a\nb' }, 'HOST: must be an address'],
  [{ FREIGHT_LOG_LEVEL: 'verbose' }, 'FREIGHT_LOG_LEVEL: must be one of'],
  [{ FREIGHT_SECRET: '' }, 'FREIGHT_SECRET: must have at least 32 characters'],
  [{ FREIGHT_SECRET: 'hunter2' }, 'FREIGHT_SECRET: must have at least 32 characters'],
  [{ FREIGHT_SECRET: `change-me-${SECRET}` }, 'FREIGHT_SECRET: is an example'],
  [{ FREIGHT_SECRET: 'ab'.repeat(20) }, 'FREIGHT_SECRET: is an example'],
  [{ FREIGHT_SECRET: SECRET, FREIGHT_SECRET_PREVIOUS: 'hunter2' }, 'FREIGHT_SECRET_PREVIOUS: must have at least 32 characters'],
  [{ FREIGHT_DATA: '/' }, 'FREIGHT_DATA: must be a folder of its own'],
  [{ FREIGHT_DATA: '/tmp/..' }, 'FREIGHT_DATA: must be a folder of its own'],
  [{ FREIGHT_DATA: '/proc/freight' }, 'FREIGHT_DATA: lies in a file system'],
  [{ FREIGHT_DATA: '/etc/passwd' }, 'FREIGHT_DATA: is a file'],
  [{ FREIGHT_DATA: '/etc/passwd/data' }, 'FREIGHT_DATA: is a file'],
  [{ FREIGHT_DATA: 'a\nb' }, 'FREIGHT_DATA: must be a path'],
  [{ FREIGHT_PUBLIC_URL: 'exports.example.com' }, 'FREIGHT_PUBLIC_URL: must be an http'],
  [{ FREIGHT_PUBLIC_URL: 'ftp://exports.example.com' }, 'FREIGHT_PUBLIC_URL: must be an http'],
  [{ FREIGHT_PUBLIC_URL: 'https://me:hunter2@exports.example.com' }, 'FREIGHT_PUBLIC_URL: must be an http'],
  [{ FREIGHT_DATABASE_URL: 'postgres://me:hunter2@db/freight' }, 'FREIGHT_DATABASE_URL: is not supported yet'],
])('the environment %j is refused', (env, message) => {
  const refused = refusalOf(() => resolveConfig(MINIMAL, folder, env))
  expect(refused).toContain(message)
  expect(refused).not.toContain('hunter2')
})

test('what the environment sets is taken', () => {
  const config = resolveConfig(MINIMAL, folder, {
    PORT: '0',
    HOST: '::1',
    FREIGHT_DATA: 'var/freight',
    FREIGHT_PUBLIC_URL: 'https://exports.example.com/freight/',
    FREIGHT_SECRET: SECRET,
    FREIGHT_LOG_LEVEL: 'debug',
  })
  expect(config).toMatchObject({
    port: 0,
    host: '::1',
    dataDir: join(folder, 'var/freight'),
    publicUrl: 'https://exports.example.com/freight',
    secret: SECRET,
    logLevel: 'debug',
  })
})

test('a resource takes the only source, else the one called main', () => {
  const resources = { orders: { tenant: 'shared' }, old: { tenant: 'shared', source: 'archive', table: 'orders' } }
  const config = resolveConfig({ sources: { main: 'sqlite:a', archive: 'sqlite:/b' }, resources }, folder, {})
  expect(config.resources.orders).toMatchObject({ source: 'main', table: 'orders' })
  expect(config.resources.old).toMatchObject({ source: 'archive', table: 'orders' })
  expect(config.sources.archive?.url).toBe('sqlite:/b')
})

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
    expect(await loadRefusal()).toContain(`freight.config.ts: ${message}`)
  })

  test('need a file, and names of their own', async () => {
    const code = [{ name: 'balances', fields: { id: 'integer' as const }, rows: async function* () {} }]
    expect(refusalOf(() => resolveConfig({ code, resources: {} }, folder, {}))).toContain("'code:path/to/module.ts'")
    await write(`export default { source: 'sqlite:a.db', code: ${good}, resources: { balances: { tenant: 'shared' } } }`)
    expect(await loadRefusal()).toContain('resources.balances: is the name of a resource in code, too')
    await writeFile(join(folder, 'other.ts'), `export default { sources: { code: 'sqlite:a.db' }, code: ${good}, resources: {} }`)
    expect(await loadRefusal({ file: 'other.ts' })).toContain('sources.code: is the name of the source')
  })
})
