import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { freight } from '../../test/command-line.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freight-usage-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

const EXPORT = ['export', '--resource', 'orders']

it.each([
  { what: 'an unknown command', args: ['exprot'], says: "unknown command 'exprot'" },
  { what: 'an unknown flag', args: [...EXPORT, '--fromat', 'csv'], says: 'Did you mean --format?' },
  { what: 'a missing value', args: ['export', '--resource'], says: "option '--resource <name>' argument missing" },
  { what: 'an empty value', args: ['export', '--resource='], says: "option '--resource <name>' argument '' is invalid" },
  { what: 'a port that is no number', args: ['serve', '--port=abc'], says: 'whole number from 0 to 65535' },
  { what: 'a port beyond the last', args: ['serve', '--port', '70000'], says: 'whole number from 0 to 65535' },
  { what: 'a negative limit', args: [...EXPORT, '--limit', '-1'], says: 'Give a whole number' },
  {
    what: 'a flag given twice',
    args: [...EXPORT, '--format', 'csv', '--format', 'json'],
    says: "'--format <name>' was given twice",
  },
  { what: 'a flag without a value given twice', args: ['serve', '--demo', '--demo'], says: "'--demo' was given twice" },
  {
    what: 'the same condition twice',
    args: [...EXPORT, '--where', 'a_eq=1', '--where', 'a_eq=2'],
    says: 'already a condition a_eq',
  },
  { what: 'a condition without a value', args: [...EXPORT, '--where', 'status'], says: 'attribute_predicate=value' },
  { what: 'an argument too many', args: ['migrate', 'now'], says: 'too many arguments' },
  { what: 'arguments after --', args: [...EXPORT, '--', 'now'], says: 'too many arguments' },
  { what: 'a missing argument', args: ['verify'], says: "missing required argument 'manifest'" },
  {
    what: 'a kind of source that is not known',
    args: [...EXPORT, '--source', 'oracle:x'],
    says: '--source "oracle:" is not a kind of source',
  },
  { what: 'a source without a kind', args: [...EXPORT, '--source', 'app.db'], says: 'known: sqlite:path' },
  { what: 'an export from nowhere', args: EXPORT, says: '--source sqlite:path' },
  { what: 'a source and a config', args: [...EXPORT, '--source', 'sqlite:a', '--config', 'b'], says: 'cannot be used with' },
  {
    what: 'a config file that init could not write',
    args: ['init', '--source', 'sqlite:a', '--output', 'a.json'],
    says: 'ends in .ts',
  },
])('$what is wrong usage: exit code 2, one line that helps, nothing on standard output', async ({ args, says }) => {
  const { code, stdout, stderr } = await freight(args, { cwd: folder })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(says)
  expect(stderr).toMatch(/^error: [^\n]+\n(\([^\n]+\)\n)*$/)
})

test('help and version work beside a broken config', async () => {
  const cwd = join(folder, 'broken')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'freight.config.ts'), 'export default {')
  for (const args of [['--help'], ['serve', '--help'], ['export', '-h'], ['keys', 'create', '--help'], ['--version']]) {
    const { code, stdout, stderr } = await freight(args, { cwd })
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
    expect(stdout).not.toBe('')
  }
})

test('a broken config is one line that names the file, without a stack', async () => {
  const cwd = join(folder, 'broken-too')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'freight.config.ts'), "export default { source: 'sqlite:a.db', resources: { orders: {} } }")
  const { code, stdout, stderr } = await freight(['keys', 'list'], { cwd })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^error: freight\.config\.ts: resources\.orders\.tenant: [^\n]+ \(CONFIG_INVALID\)\n$/)
})

test('with FREIGHT_LOG_LEVEL=debug an error shows its stack', async () => {
  const { stderr } = await freight(['verify', 'absent.json'], { cwd: folder, env: { FREIGHT_LOG_LEVEL: 'debug' } })
  expect(stderr).toContain('    at ')
})

test('each help fits a terminal of 24 lines and 80 columns', async () => {
  const commands = [
    [],
    ['serve'],
    ['export'],
    ['init'],
    ['keys'],
    ['keys', 'create'],
    ['keys', 'list'],
    ['keys', 'revoke'],
    ['migrate'],
    ['verify'],
  ]
  const helps = await Promise.all(commands.map((command) => freight([...command, '--help'], { cwd: folder })))
  for (const [index, { stdout }] of helps.entries()) {
    const command = commands[index]
    const lines = stdout.trimEnd().split('\n')
    expect([command, lines.length <= 24, Math.max(...lines.map((line) => line.length)) <= 80]).toEqual([command, true, true])
  }
})

test('without a command the help is shown and the exit code is 2', async () => {
  const { code, stderr } = await freight([], { cwd: folder })
  expect(code).toBe(2)
  expect(stderr).toContain('Usage: freight')
})

test('a Node that is too old gets one clear line', async () => {
  const pretend = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.4"}})'
  const { code, stdout, stderr } = await freight(['--version'], { cwd: folder, nodeFlags: ['--import', pretend] })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^Freight needs Node 24 or newer; this is Node v18\.20\.4\.[^\n]+\n$/)
})
