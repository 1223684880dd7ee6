/** `freight keys create|list|revoke`: API keys, beside a running server too. */
import { type Command, Option } from 'commander'
import type { Mode } from '../job/job.ts'
import type { openAdministration } from '../service.ts'
import { CommandFailure } from './fault.ts'
import { commandConfig } from './settings.ts'
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
    refuseRepeats(command)
  }
  create.action((flags: ConfigFlag & { tenant: string; name: string; mode: Mode }) =>
    administer(flags, (records) => createKey(records, flags)),
  )
  list.action((flags: ConfigFlag & { tenant?: string }) =>
    administer(flags, (records) => listKeys(records, flags.tenant ?? null)),
  )
  revoke.action((id: string, flags: ConfigFlag) => administer(flags, (records) => revokeKey(records, id)))
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
async function createKey(records: Administration, input: { tenant: string; name: string; mode: Mode }): Promise<void> {
  const { key, secret } = await records.createKey({ tenant: input.tenant, name: input.name, mode: input.mode })
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
    key.name,
  ])
  process.stdout.write(table([['ID', 'TENANT', 'MODE', 'CREATED', 'REVOKED', 'NAME'], ...rows]))
}

async function revokeKey(records: Administration, id: string): Promise<void> {
  if (!(await records.revokeKey(id))) throw new CommandFailure(`There is no key "${id}"; "freight keys list" shows them.`)
  process.stderr.write(`Key ${id} is revoked.\n`)
}

/** Columns as wide as their widest cell, two blanks between. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
