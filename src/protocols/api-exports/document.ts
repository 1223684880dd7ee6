/** JSON:API documents: resource objects with their links and relationships, sparse fields, included entries, pages. Pure. */
import type { Job } from '../../job/job.ts'
import type { Entry } from './entries.ts'
import { type DocumentQuery, RELATIONSHIPS, type Relationship, type SparseFields } from './query.ts'
import type { ExportAttributes } from './view.ts'

/** One export with what belongs to it, as far as that is asked for. */
export interface Shown {
  readonly job: Job
  readonly attributes: ExportAttributes
  readonly entries: Readonly<Partial<Record<Relationship, readonly Entry[]>>>
}

/** `base`: the address of the exports, without a trailing slash. */
export function exportDocument(shown: Shown, query: DocumentQuery, base: string) {
  return { data: exportObject(shown, query, base), ...included([shown], query) }
}

export function exportsDocument(shown: readonly Shown[], query: DocumentQuery, base: string, page: PageFacts) {
  return { data: shown.map((each) => exportObject(each, query, base)), ...pageMembers(page), ...included(shown, query) }
}

export function entriesDocument(
  type: Relationship,
  entries: readonly Entry[],
  mode: Job['mode'],
  fields: SparseFields,
  page: PageFacts,
) {
  return { data: entries.map((entry) => entryObject(type, entry, mode, fields)), ...pageMembers(page) }
}

/** Every entry's identity, whatever their number: linkage has no pages here. */
export function linkageDocument(type: Relationship, entries: readonly Entry[], self: string, related: string) {
  return { links: { self, related }, data: entries.map(({ id }) => ({ type, id })) }
}

function exportObject({ job, attributes, entries }: Shown, { include, fields }: DocumentQuery, base: string) {
  const self = `${base}/${job.shortId}`
  const named = fields.exports
  const shownRelationships = RELATIONSHIPS.filter((name) => named === undefined || named.has(name) || include.includes(name))
  return {
    id: job.shortId,
    type: 'exports' as const,
    links: { self },
    attributes: sparse(attributes, named),
    relationships: Object.fromEntries(
      shownRelationships.map((name) => {
        const links = { self: `${self}/relationships/${name}`, related: `${self}/${name}` }
        const linked = entries[name]
        return [name, linked ? { links, data: linked.map(({ id }) => ({ type: name, id })) } : { links }]
      }),
    ),
    meta: { mode: job.mode },
  }
}

function entryObject(type: Relationship, { id, attributes }: Entry, mode: Job['mode'], fields: SparseFields) {
  return { id, type, attributes: sparse(attributes, fields[type]), meta: { mode } }
}

function sparse(attributes: Readonly<Record<string, unknown>>, named: ReadonlySet<string> | undefined) {
  return named ? Object.fromEntries(Object.entries(attributes).filter(([name]) => named.has(name))) : attributes
}

function included(shown: readonly Shown[], { include, fields }: DocumentQuery) {
  if (include.length === 0) return {}
  return {
    included: shown.flatMap(({ job, entries }) =>
      include.flatMap((type) => (entries[type] ?? []).map((entry) => entryObject(type, entry, job.mode, fields))),
    ),
  }
}

export interface PageFacts {
  /** The address as it was asked for: path of `base` and query, without the origin's part. */
  readonly address: string
  readonly rawQuery: string
  readonly number: number
  readonly size: number
  readonly total: number
}

function pageMembers({ address, rawQuery, number, size, total }: PageFacts) {
  const pages = Math.ceil(total / size)
  const last = Math.max(1, pages)
  const link = (page: number): string => {
    const query = new URLSearchParams(rawQuery)
    query.set('page[number]', String(page))
    query.set('page[size]', String(size))
    return `${address}?${query}`
  }
  return {
    meta: { record_count: total, page_count: pages },
    links: {
      first: link(1),
      ...(number > 1 ? { prev: link(Math.min(number - 1, last)) } : {}),
      ...(number < last ? { next: link(number + 1) } : {}),
      last: link(last),
    },
  }
}
