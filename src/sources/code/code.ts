/** The source that is code: resources of a module, imported when the first is asked for, in whichever thread reads them. */
import { pathToFileURL } from 'node:url'
import { type CodeRequest, type CodeResource, checkCodeResources, codeField } from '../../job/code-resource.ts'
import { FreightError } from '../../job/errors.ts'
import type { RowCount } from '../../job/row-text.ts'
import { shapeOf } from '../../job/shape.ts'
import type { CheckedPart } from '../../job/spec.ts'
import type { Query, Snapshot, Source, TableDescription } from '../source.ts'
import { CodeReading } from './reading.ts'

const UNKNOWN: RowCount = { rows: null, exact: false }

interface CodeSourceOptions {
  /** Absolute: of a module whose default export lists resources, or is a configuration with `code`. */
  readonly path: string
  /** Hex; for hashed masks. Absent: a field that is to be hashed fails. */
  readonly maskKey?: string
}

export function createCodeSource({ path, maskKey }: CodeSourceOptions): Source {
  let loading: Promise<ReadonlyMap<string, CodeResource>> | null = null
  const load = (): Promise<ReadonlyMap<string, CodeResource>> => {
    loading ??= importResources(path)
    return loading
  }
  return {
    masks: true,
    async tables() {
      return [...(await load()).keys()].sort()
    },
    async describe(table) {
      const resource = (await load()).get(table)
      return resource ? describe(resource) : null
    },
    estimate: async () => UNKNOWN,
    async open(query, signal) {
      const resources = await load()
      signal.throwIfAborted()
      return openSnapshot(
        query,
        query.parts.map((part) => known(resources, part)),
        { signal, maskKey: maskKey ?? null },
      )
    },
    async endSession() {},
    async close() {},
  }
}

async function importResources(path: string): Promise<ReadonlyMap<string, CodeResource>> {
  let module: { readonly default?: unknown }
  try {
    module = await import(/* @vite-ignore */ pathToFileURL(path).href)
  } catch (cause) {
    throw new FreightError('CONFIG_INVALID', 'The module with resources in code could not be loaded; the log has the reason.', {
      cause,
    })
  }
  const { default: exported } = module
  const given = Array.isArray(exported) ? exported : (exported as { readonly code?: unknown } | null | undefined)?.code
  return new Map(checkCodeResources(given, 'code').map((resource) => [resource.name, resource]))
}

function describe(resource: CodeResource): TableDescription {
  return {
    schema: null,
    name: resource.name,
    kind: 'view',
    columns: Object.entries(resource.fields).map(([name, field]) => {
      const { type, required } = codeField(field)
      return { name, type, declaredType: type, nullable: !required, strict: false }
    }),
    primaryKey: resource.key ?? [],
    foreignKeys: [],
    code: { filters: resource.filters ?? [] },
  }
}

/** The code may have changed since the export was checked. */
function known(resources: ReadonlyMap<string, CodeResource>, part: CheckedPart): CodeResource {
  const resource = resources.get(part.table.name)
  if (!resource) throw changed(`the resource "${part.table.name}" is gone`)
  for (const leaf of part.select) {
    if (leaf.kind === 'field' && !Object.hasOwn(resource.fields, leaf.column))
      throw changed(`"${part.resource}" no longer has the field "${leaf.column}"`)
  }
  return resource
}

function changed(what: string): FreightError {
  return new FreightError('SOURCE_CHANGED', `The code of this export has changed: ${what}. Ask for the export anew.`)
}

function openSnapshot(
  query: Query,
  resources: readonly CodeResource[],
  { signal, maskKey }: { signal: AbortSignal; maskKey: string | null },
): Snapshot {
  const closed = new AbortController()
  const stopped = AbortSignal.any([signal, closed.signal])
  const at = (index: number): { part: CheckedPart; resource: CodeResource; request: CodeRequest } => {
    const part = query.parts[index]
    const resource = resources[index]
    if (!part || !resource) throw new Error(`there is no part ${index}`)
    return { part, resource, request: requestOf(part) }
  }
  return {
    takenAt: null,
    session: null,
    shape: (index) => shapeOf(at(index).part.select, query.layout),
    async count(index, { ms }) {
      const { resource, request } = at(index)
      stopped.throwIfAborted()
      if (!resource.count) return UNKNOWN
      return countWithin(ms, stopped, async (over) => resource.count?.(request, over) ?? null)
    },
    rows(index) {
      const { part, resource, request } = at(index)
      return new CodeReading(resource, part, query, maskKey).chunks(request, stopped)
    },
    async close() {
      closed.abort(new FreightError('ABORTED', 'The reading was ended.'))
    },
  }
}

function requestOf(part: CheckedPart): CodeRequest {
  const fields = part.select.flatMap((leaf) => (leaf.kind === 'field' ? [leaf.column] : []))
  return {
    resource: part.table.name,
    tenant: part.code?.tenant ?? null,
    fields: [...new Set(fields)],
    filters: part.code?.filters ?? {},
    limit: part.limit,
  }
}

/** What the application says is an estimate: its rows come later, and may be others. */
async function countWithin(
  ms: number,
  signal: AbortSignal,
  count: (over: AbortSignal) => Promise<number | null>,
): Promise<RowCount> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(ms))])
  const { promise, resolve, reject } = Promise.withResolvers<RowCount>()
  const onOver = (): void => (signal.aborted ? reject(signal.reason) : resolve(UNKNOWN))
  over.addEventListener('abort', onOver, { once: true })
  try {
    const counted = count(over).then((rows) => {
      const isCount = typeof rows === 'number' && Number.isSafeInteger(rows) && rows >= 0
      return isCount ? { rows, exact: false } : UNKNOWN
    })
    return await Promise.race([promise, counted])
  } finally {
    over.removeEventListener('abort', onOver)
  }
}
