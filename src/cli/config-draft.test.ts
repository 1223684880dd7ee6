import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import type { CellType } from '../job/row-text.ts'
import { draftConfig, type Table } from './config-draft.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-draft-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

/** `'id integer'`: a column and its type, as the source sees it; `any` is one that SQLite was told nothing about. */
function table(name: string, columns: readonly string[], kind: Table['kind'] = 'table'): Table {
  return {
    schema: null,
    name,
    kind,
    columns: columns.map((text) => {
      const [column = '', type = 'any'] = text.split(' ')
      return {
        name: column,
        type: type as CellType,
        declaredType: type === 'any' ? '' : type.toUpperCase(),
        nullable: true,
        strict: false,
      }
    }),
    primaryKey: ['id'],
    foreignKeys: [],
  }
}

async function load(name: string, text: string) {
  const cwd = join(folder, name)
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'freight.config.ts'), text)
  return loadConfig({ cwd, env: {} })
}

/** What the compiler says of the file, strictly, in a project where the package is installed. */
function compile(text: string): string[] {
  const path = join(folder, 'checked.ts')
  writeFileSync(path, text)
  const program = ts.createProgram([path], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    types: [],
    paths: { freight: [fileURLToPath(new URL('../config/freight-config.ts', import.meta.url))] },
  })
  return program
    .getSemanticDiagnostics(program.getSourceFile(path))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}

const ORDERS = table('orders', [
  'id integer',
  'tenant_id text',
  'created_at text',
  'paid_on text',
  'total integer',
  'is_gift any',
])

test('a drafted config type-checks and loads, with the tenant column and the types that were guessed', async () => {
  const users = table('users', [
    'id integer',
    'Account_ID text',
    'password_hash text',
    'api_key text',
    'deleted_at any',
    'seen_at timestamp',
  ])
  const { text, undecided } = draftConfig([ORDERS, users], 'sqlite:./app.db')
  expect(undecided).toEqual([])
  expect(compile(text)).toEqual([])
  const { resources, sources } = await load('decided', text)
  expect(sources.main?.url).toBe(`sqlite:${join(folder, 'decided', 'app.db')}`)
  expect(resources.orders).toMatchObject({
    tenant: 'tenant_id',
    types: { created_at: 'timestamp', paid_on: 'date', is_gift: 'boolean' },
  })
  expect(resources.users).toMatchObject({
    tenant: 'Account_ID',
    hide: ['password_hash', 'api_key'],
    types: { deleted_at: 'timestamp' },
  })
})

test('a table without a known tenant column keeps the whole config refused until someone decides', async () => {
  const { text, undecided } = draftConfig([ORDERS, table('countries', ['id integer', 'name text'])], 'sqlite:./app.db')
  expect(undecided).toEqual(['countries'])
  expect(compile(text)).not.toEqual([])
  await expect(load('undecided', text)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('resources.countries.tenant'),
  })
  const decided = text.replace("// tenant: 'shared',", "tenant: 'shared',")
  expect(compile(decided)).toEqual([])
  expect((await load('decided-later', decided)).resources.countries).toMatchObject({ tenant: 'shared' })
})

test('names that are no words, or that every object has, still make a config that loads', async () => {
  const odd = ['order items', 'a.b', 'a b', "o'b\\r\n", '2024', 'constructor', 'ünïcode', '"quoted"', 'select', 'x\u2028y']
  const { text } = draftConfig(
    odd.map((name) => table(name, ['id integer', 'tenant_id text', "it's_at text", 'a-b_at text'])),
    'sqlite:./app.db',
  )
  expect(compile(text)).toEqual([])
  const { resources } = await load('odd', text)
  expect(Object.values(resources).map((resource) => resource.table)).toEqual(expect.arrayContaining(odd))
  expect(Object.keys(resources)).toHaveLength(odd.length)
  expect(resources.constructor_table).toMatchObject({ types: { "it's_at": 'timestamp', 'a-b_at': 'timestamp' } })
})

test('a column name with a line break cannot end the comment it is listed in', async () => {
  const { text } = draftConfig([table('t', ['id integer', "x\n},evil:{tenant:'shared'}, integer"])], 'sqlite:./app.db')
  await expect(load('comment', text)).rejects.toMatchObject({ message: expect.stringContaining('resources.t.tenant') })
})

test('a view is marked, so that someone checks whose rows it shows', () => {
  expect(draftConfig([table('paid', ['id integer', 'tenant_id text'], 'view')], 'sqlite:a.db').text).toContain('// A view:')
})

test('a password of the source stays out of the file, and a table of another schema is named with it', () => {
  const tables = [{ ...table('orders', ['id integer', 'tenant_id text']), schema: 'sales' }]
  const { text } = draftConfig(tables, 'postgres://me:hunter2@db:5432/shop')
  expect(text).not.toContain('hunter2')
  expect(text).toContain("source: process.env.SOURCE_URL ?? 'postgres://me@db:5432/shop',")
  expect(text).toContain("table: 'sales.orders',")
})
