/** Gathers what an answer shows of an export: its attributes with a link minted for this answer, and the entries that are asked for. */
import type { Principal } from '../../access/principal.ts'
import { listEvents } from '../../exports/events.ts'
import { linkToFiles } from '../../exports/link.ts'
import { listVersions } from '../../exports/versions.ts'
import type { Job } from '../../job/job.ts'
import type { ProtocolSite } from '../protocol.ts'
import type { Shown } from './document.ts'
import { type Entry, viewEventStores, viewEvents, viewVersions } from './entries.ts'
import type { Relationship } from './query.ts'
import type { ApiExportsSettings } from './settings.ts'
import { viewExport } from './view.ts'

/** The vendor's own, whatever other links live. */
export const ATTACHMENT_MS = 5 * 60_000

export class Showing {
  readonly #site: ProtocolSite
  readonly #path: string
  readonly #types: ReadonlyMap<string, string>

  constructor(site: ProtocolSite & { readonly settings: ApiExportsSettings }, path: string) {
    this.#site = site
    this.#path = path
    this.#types = new Map(Object.entries(site.settings.resources).map(([type, resource]) => [resource, type]))
  }

  /** The address of the exports. */
  get base(): string {
    return `${this.#site.publicUrl()}${this.#path}`
  }

  async shown(caller: Principal, job: Job, include: readonly Relationship[]): Promise<Shown> {
    const now = this.#site.context.now()
    const link = linkToFiles(this.#site.context, caller, job, ATTACHMENT_MS)
    const attributes = viewExport(job, {
      now,
      typeOf: this.#typeOf,
      attachmentUrl: link === null ? null : `${this.#site.publicUrl()}${link}`,
    })
    const entries: Partial<Record<Relationship, readonly Entry[]>> = {}
    for (const type of include) entries[type] = await this.entries(caller, job, type)
    return { job, attributes, entries }
  }

  /** Oldest first. */
  async entries(caller: Principal, job: Job, type: Relationship): Promise<readonly Entry[]> {
    const { context } = this.#site
    if (type === 'events') return viewEvents(job, await listEvents(context, caller, job.id, 0))
    const versions = await listVersions(context, caller, job.id)
    return (type === 'versions' ? viewVersions : viewEventStores)(job, versions, this.#typeOf)
  }

  readonly #typeOf = (resource: string): string => this.#types.get(resource) ?? resource
}
