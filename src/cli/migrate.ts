/** `freight migrate`: brings the store's tables up to date; a server does the same when it starts. */
import type { Command } from 'commander'
import { commandConfig } from './settings.ts'
import { refuseRepeats, someText } from './usage.ts'

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .summary("bring the store's tables up to date")
    .description("Bring the store's tables up to date. A server does the same when it starts.")
    .option('--status', 'only show which migrations have been applied')
    .option('--config <file>', 'instead of ./freight.config.ts', someText)
  refuseRepeats(command)
  command.action(async (flags: { status?: true; config?: string }) => {
    const config = await commandConfig(flags.config)
    const { openAdministration } = await import('../service.ts')
    const records = await openAdministration(config)
    try {
      if (flags.status) {
        for (const { name, appliedAt } of await records.migrations()) {
          process.stdout.write(`${name}  ${appliedAt === null ? 'not applied' : `applied ${appliedAt.toISOString()}`}\n`)
        }
        return
      }
      const applied = await records.migrate()
      for (const name of applied) process.stdout.write(`${name}  applied\n`)
      if (applied.length === 0) process.stderr.write('Everything is up to date.\n')
    } finally {
      await records.close()
    }
  })
}
