/** `freight keys create|list|revoke`: API keys, beside a running server too. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Mode } from '../job/job.ts'
import type { openAdministration } from '../service.ts'
import { CommandFailure } from './fault.ts'
import { commandConfig } from './settings.ts'
import { table } from './table.ts'
import { refuseRepeats, someText } from './usage.ts'

type Administration = Awaited<ReturnType<typeof openAdministration>>

interface ConfigFlag {
  readonly config?: string
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .summary('make, list and revoke API keys')
    .description('API keys. A new or revoked key counts at once, also for a running server.')
    .helpCommand(false)
  const create = keys
    .command('create')
    .description('Make an API key and print it. It is shown only once: Freight keeps no copy.')
    .requiredOption('--tenant <tenant>', 'whose rows it may read', someText)
    .requiredOption('--name <name>', 'what it is for', someText)
    .addOption(new Option('--mode <mode>', 'live or test').choices(['live', 'test']).default('live'))
    .option('--scope <scope>', 'what it may do; repeat it. Default: exports:read, exports:write, exports:download', repeated)
    .option('--claim <name=value>', 'what row scopes go by, a JSON value where it is one; repeat it', claim)
  const list = keys
    .command('list')
    .description('List API keys, revoked ones too. The keys themselves are not known.')
    .option('--tenant <tenant>', 'only those of one tenant', someText)
  const revoke = keys
    .command('revoke')
    .description('Revoke an API key, for good.')
    .argument('<id>', 'as "freight keys list" shows it')
  for (const command of [create, list, revoke]) {
    command.option('--config <file>', 'instead of ./freight.config.ts', someText)
    refuseRepeats(command, ['scope', 'claim'])
  }
  create.action((flags: CreateFlags) => administer(flags, (records) => createKey(records, flags)))
  list.action((flags: ConfigFlag & { tenant?: string }) =>
    administer(flags, (records) => listKeys(records, flags.tenant ?? null)),
  )
  revoke.action((id: string, flags: ConfigFlag) => administer(flags, (records) => revokeKey(records, id)))
}

interface CreateFlags extends ConfigFlag {
  readonly tenant: string
  readonly name: string
  readonly mode: Mode
  readonly scope?: readonly string[]
  readonly claim?: Readonly<Record<string, unknown>>
}

/** An option's parser that collects. */
function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, someText(text)]
}

function claim(text: string, before: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const [, name, value = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  if (name === undefined || name === '__proto__') throw new InvalidArgumentError('Give a name, "=", and a value, as region=3.')
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The claim ${name} is given twice; a list is region=[3,4].`)
  return { ...before, [name]: jsonOrText(value) }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

async function administer(flags: ConfigFlag, work: (records: Administration) => Promise<void>): Promise<void> {
  const config = await commandConfig(flags.config)
  const { openAdministration } = await import('../service.ts')
  const records = await openAdministration(config)
  try {
    // A key can be made before the first server has run.
    await records.migrate()
    await work(records)
  } finally {
    await records.close()
  }
}

/** The key alone goes to standard output, so that a script can keep it. */
async function createKey(records: Administration, { tenant, name, mode, scope, claim: claims }: CreateFlags): Promise<void> {
  const rights = { ...(scope ? { scopes: scope } : {}), ...(claims ? { claims } : {}) }
  const { key, secret } = await records.createKey({ tenant, name, mode, ...rights })
  process.stderr.write(`Key ${key.id} (${key.mode}) for tenant ${key.tenant}, named ${key.name}. It is shown only now:\n`)
  process.stdout.write(`${secret}\n`)
}

async function listKeys(records: Administration, tenant: string | null): Promise<void> {
  const keys = await records.listKeys(tenant)
  if (keys.length === 0) {
    process.stderr.write('There are no keys. Make one: freight keys create --tenant acme --name ci\n')
    return
  }
  const rows = keys.map((key) => [
    key.id,
    key.tenant,
    key.mode,
    key.createdAt.toISOString(),
    key.revokedAt?.toISOString() ?? '-',
    key.scopes.join(',') || '-',
    Object.keys(key.claims).length === 0 ? '-' : JSON.stringify(key.claims),
    key.name,
  ])
  process.stdout.write(table([['ID', 'TENANT', 'MODE', 'CREATED', 'REVOKED', 'SCOPES', 'CLAIMS', 'NAME'], ...rows]))
}

async function revokeKey(records: Administration, id: string): Promise<void> {
  if (!(await records.revokeKey(id))) throw new CommandFailure(`There is no key "${id}"; "freight keys list" shows them.`)
  process.stderr.write(`Key ${id} is revoked.\n`)
}
