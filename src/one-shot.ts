/**
 * The composition without a service: one export, or one look at a source, from the command line. It stands apart from
 * `service.ts` because loading a web server and a store takes longer than a small export.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCatalog } from './catalog/create-catalog.ts'
import { unknownResource } from './catalog/refusal.ts'
import { FILE_TABLE_SCHEMES } from './config/files.ts'
import type { Config, ResolvedResource, ResolvedSource } from './config/resolved.ts'
import { describeResources } from './exports/live-catalog.ts'
import { FreightError } from './job/errors.ts'
import type { Progress } from './job/job.ts'
import type { ExportRequest } from './job/spec.ts'
import { createParts, createSource } from './parts.ts'
import type { Source, TableDescription } from './sources/source.ts'
import { type OneShotOutput, type OneShotResult, runOneShot } from './worker/one-shot.ts'

export interface OneShot {
  readonly config: Config
  /** When given, every table of it is offered and the configuration's resources are not used. */
  readonly source?: ResolvedSource
  readonly request: ExportRequest
  readonly output: OneShotOutput
  readonly signal: AbortSignal
  onProgress(progress: Progress): void
}

/** One export without server or store, over the same corridor. */
export async function exportOnce(input: OneShot): Promise<OneShotResult> {
  const { config } = input
  const sources = input.source ? { main: input.source } : config.sources
  const tempFolder = await mkdtemp(join(tmpdir(), 'freight-'))
  const parts = createParts({ sources, dataDir: tempFolder })
  try {
    const wanted = new Set(input.request.parts.map((part) => part.resource))
    const resources = input.source ? await offeredTables(input.source, parts.source('main'), wanted) : config.resources
    const described = await describeResources(resources, {
      describe: (source, table) => parts.source(source).describe(table),
      tables: (source) => parts.source(source).tables(),
    })
    const catalog = createCatalog({ resources, ...described, retentionMs: config.retentionMs })
    // The person at the command line owns the database: no tenant narrows the rows.
    const spec = catalog.check(input.request, null)
    return await runOneShot({ ...input, spec, parts })
  } finally {
    await parts.close()
    await rm(tempFolder, { recursive: true, force: true })
  }
}

/** Every table and view of a source, for `freight init`. */
export async function inspectSource(source: ResolvedSource): Promise<readonly TableDescription[]> {
  const opened = createSource(source, tmpdir())
  try {
    const descriptions: TableDescription[] = []
    for (const table of await opened.tables()) {
      const description = await describeUnlessBroken(opened, table)
      if (description) descriptions.push(description)
    }
    return descriptions
  } finally {
    await opened.close()
  }
}

/** Files have no relations, and a folder may hold thousands: only those that are wanted are looked at, and another that is broken is in nobody's way. */
async function offeredTables(
  { url }: ResolvedSource,
  source: Source,
  wanted: ReadonlySet<string>,
): Promise<Record<string, ResolvedResource>> {
  if (!FILE_TABLE_SCHEMES.some((scheme) => url.startsWith(scheme))) return await everyTable(source, wanted)
  const tables = await source.tables()
  for (const asked of wanted) {
    if (!tables.includes(asked)) throw unknownResource('/resource', { asked, allowed: tables })
  }
  return Object.fromEntries([...wanted].map((table) => [table, { source: 'main', table, tenant: 'shared' }]))
}

/** A broken view is offered only when it is `wanted`, so that its fault is told to who asks for it and to nobody else. */
async function everyTable(source: Source, wanted: ReadonlySet<string>): Promise<Record<string, ResolvedResource>> {
  const resources: [string, ResolvedResource][] = []
  for (const table of await source.tables()) {
    if (!wanted.has(table) && !(await describeUnlessBroken(source, table))) continue
    resources.push([table, { source: 'main', table, tenant: 'shared' }])
  }
  // Not by assignment: a table may be named `__proto__`.
  return Object.fromEntries(resources)
}

async function describeUnlessBroken(source: Source, table: string): Promise<TableDescription | null> {
  try {
    return await source.describe(table)
  } catch (error) {
    if (error instanceof FreightError && error.code === 'SOURCE_FAILED') return null
    throw error
  }
}
