/** `freight audit`: who did what, when and from where. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Administration } from '../service.ts'
import { commandConfig } from './settings.ts'
import { table } from './table.ts'
import { refuseRepeats, someText } from './usage.ts'

interface Flags {
  readonly tenant?: string
  readonly export?: string
  readonly since?: Date
  readonly json?: true
  readonly config?: string
}

type Entry = Awaited<ReturnType<Administration['audit']>>[number]

/** Read and printed so many at a time: a year's record need not fit into memory. */
const PAGE = 1_000

export function addAudit(program: Command): void {
  const command = program
    .command('audit')
    .summary('who did what, when and from where')
    .description(
      'List who created, changed, downloaded and removed what, and who was refused, when and from where, oldest first.',
    )
    .option('--tenant <tenant>', 'only of one tenant', someText)
    .option('--export <id>', 'only of one export, also one that was removed', someText)
    .option('--since <time>', 'from this instant (2026-01-31, 2026-01-31T12:00:00Z) or this long ago (90m, 24h, 7d)', readSince)
    .option('--json', 'one JSON object per line')
    .option('--config <file>', 'instead of ./freight.config.ts', someText)
  refuseRepeats(command)
  command.action(async (flags: Flags) => {
    const config = await commandConfig(flags.config)
    const { openAdministration } = await import('../service.ts')
    const records = await openAdministration(config)
    try {
      await records.migrate()
      await list(records, flags)
    } finally {
      await records.close()
    }
  })
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function readSince(text: string): Date {
  const [, amount, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  if (amount !== undefined) return new Date(Date.now() - Number(amount) * (UNIT_MS[unit] ?? 0))
  const at = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? new Date(text) : null
  if (at && !Number.isNaN(at.getTime())) return at
  throw new InvalidArgumentError('Give an instant, as 2026-01-31 or 2026-01-31T12:00:00Z, or how long ago, as 24h.')
}

async function list(records: Administration, flags: Flags): Promise<void> {
  const filter = { tenant: flags.tenant ?? null, exportId: flags.export ?? null, since: flags.since ?? null, limit: PAGE }
  let afterSeq = 0
  for (;;) {
    const entries = await records.audit({ ...filter, afterSeq })
    if (entries.length === 0 && afterSeq === 0) process.stderr.write('Nothing is recorded that fits.\n')
    if (entries.length > 0) process.stdout.write(flags.json ? entries.map(jsonLine).join('') : textOf(entries, afterSeq === 0))
    if (entries.length < PAGE) return
    afterSeq = entries.at(-1)?.seq ?? afterSeq
  }
}

function jsonLine({ seq, at, tenant, action, actor, exportId, data }: Entry): string {
  return `${JSON.stringify({ seq, at: at.toISOString(), tenant, action, by: actor.by, from: actor.from, export: exportId, data })}\n`
}

function textOf(entries: readonly Entry[], isFirst: boolean): string {
  const rows = entries.map(({ at, tenant, action, actor, exportId, data }) => {
    const details = Object.keys(data).length === 0 ? '' : JSON.stringify(data)
    return [at.toISOString(), tenant, action, actor.by, actor.from ?? '-', exportId ?? '-', details]
  })
  return table([...(isFirst ? [['TIME', 'TENANT', 'ACTION', 'BY', 'FROM', 'EXPORT', 'DETAILS']] : []), ...rows])
}
