/** The catalog as the sources stand now: described at start, and again every minute, so that a changed schema is noticed. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Catalog } from '../catalog/catalog.ts'
import { createCatalog } from '../catalog/create-catalog.ts'
import type { Config, ResolvedResource } from '../config/resolved.ts'
import { FreightError } from '../job/errors.ts'
import type { TableDescription } from '../sources/source.ts'
import type { Probe } from './probe.ts'
import { RememberedTables } from './remembered-tables.ts'

const DESCRIBE_MS = 15_000
const REFRESH_MS = 60_000

export interface LiveCatalog {
  current(): Catalog
  stop(): void
}

/**
 * A table that cannot be read now is taken as it was when it last could. Rejects when it never could, or the configuration names what a source does
 * not have.
 */
export async function startLiveCatalog(
  config: Config,
  probe: Pick<Probe, 'describe' | 'tables'>,
  log: Pick<Logger, 'error' | 'warn'>,
): Promise<LiveCatalog> {
  const remembered = new RememberedTables(join(config.dataDir, 'remembered-tables.json'))
  let catalog = await describeAll(config, probe, remembered, log)
  const timer = setInterval(async () => {
    try {
      catalog = await describeAll(config, probe, remembered, log)
    } catch (error) {
      // The last good catalog stays: a table that is gone for a moment must not take the resources with it.
      log.warn({ err: error }, 'the sources could not be described again')
    }
  }, REFRESH_MS)
  timer.unref()
  return { current: () => catalog, stop: () => clearInterval(timer) }
}

async function describeAll(
  config: Config,
  probe: Pick<Probe, 'describe' | 'tables'>,
  remembered: RememberedTables,
  log: Pick<Logger, 'error' | 'warn'>,
): Promise<Catalog> {
  const limit = { ms: DESCRIBE_MS }
  const described = await describeResources(config.resources, {
    async describe(source, table) {
      const place = config.sources[source]
      try {
        const description = (await probe.describe(source, [table], limit))[0] ?? null
        if (place && description) remembered.keep(place, table, description)
        return description
      } catch (error) {
        const before = place && isOfTheSource(error) ? remembered.find(place, table) : undefined
        if (!before) throw error
        log.error({ err: error, source, table }, 'a table cannot be read: its exports will fail until it can')
        return before
      }
    },
    tables: (source) => probe.tables(source, limit),
  })
  const sessionVariables = Object.fromEntries(
    Object.entries(config.sources).map(([name, source]) => [name, source.sessionVariables ?? {}]),
  )
  const catalog = createCatalog({ resources: config.resources, ...described, retentionMs: config.retentionMs, sessionVariables })
  try {
    remembered.save()
  } catch (error) {
    // Of use at the next start only; a full disk must not hold up this one.
    log.warn({ err: error }, 'what the tables are could not be kept for the next start')
  }
  return catalog
}

/** A mistake in the configuration is told at the start, whatever was known before. */
function isOfTheSource(error: unknown): boolean {
  return error instanceof FreightError && error.code !== 'CONFIG_INVALID'
}

interface Sources {
  describe(source: string, table: string): Promise<TableDescription | null>
  tables(source: string): Promise<readonly string[]>
}

/**
 * By resource name. A table that is missing is left out, and what its source has instead is listed: `createCatalog` names the
 * resource that wants it and the nearest name.
 */
export async function describeResources(
  resources: Readonly<Record<string, ResolvedResource>>,
  sources: Sources,
): Promise<{ descriptions: Map<string, TableDescription>; tables: Map<string, readonly string[]> }> {
  const descriptions = new Map<string, TableDescription>()
  const tables = new Map<string, readonly string[]>()
  for (const [name, { source, table }] of Object.entries(resources)) {
    const description = await sources.describe(source, table)
    if (description) descriptions.set(name, description)
    else if (!tables.has(source)) tables.set(source, await sources.tables(source))
  }
  return { descriptions, tables }
}
