/** The demo's API key: made once, kept beside the records for the person at this machine. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/resolved.ts'
import { openAdministration } from '../../service.ts'

export const DEMO_TENANT = 'acme'

/** The kept key where the records still know it, else a new one. */
export async function demoKey(config: Config): Promise<string> {
  const path = join(config.dataDir, 'demo-key')
  const records = await openAdministration(config)
  try {
    await records.migrate()
    const kept = (await readFile(path, 'utf8').catch(() => '')).trim()
    // A key holds its own id, so its record is found without storing the key.
    const known = (await records.listKeys(DEMO_TENANT)).some((key) => key.revokedAt === null && kept.includes(key.id))
    if (known) return kept
    const { secret } = await records.createKey({ tenant: DEMO_TENANT, name: 'demo', mode: 'live' })
    await writeFile(path, `${secret}\n`, { mode: 0o600 })
    return secret
  } finally {
    await records.close()
  }
}
