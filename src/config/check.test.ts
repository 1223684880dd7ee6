/** What a configuration file says, resolved or refused with its place. */
import { expect, test } from 'vitest'
import { refusalOf } from '../../test/config-refusal.ts'
import { resolveConfig } from '../config.ts'
import type { FreightConfig } from './freight-config.ts'

const FOLDER = '/srv/app'
const MINIMAL: FreightConfig = { source: 'sqlite:shop.db', resources: { orders: { tenant: 'tenant_id' } } }

test('a resource takes the only source, else the one called main', () => {
  const resources = { orders: { tenant: 'shared' }, old: { tenant: 'shared', source: 'archive', table: 'orders' } }
  const config = resolveConfig({ sources: { main: 'sqlite:a', archive: 'sqlite:/b' }, resources }, FOLDER, {})
  expect(config.resources.orders).toMatchObject({ source: 'main', table: 'orders' })
  expect(config.resources.old).toMatchObject({ source: 'archive', table: 'orders' })
  expect(config.sources.archive?.url).toBe('sqlite:/b')
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
  const resolved = resolveConfig({ ...MINIMAL, issuers: [issuer], limits } as FreightConfig, FOLDER, {})
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
  const refused = refusalOf(() => resolveConfig(config as FreightConfig, FOLDER, {}))
  expect(refused).toContain(`configuration: ${message}`)
  expect(refused).not.toContain('hunter2')
})
