/** What the caller's verbs work with. `service.ts` makes one; tests make their own. */
import type { Catalog } from '../catalog/catalog.ts'
import type { Queue } from '../queue/queue.ts'
import type { Storage } from '../storage/storage.ts'
import type { JobStore, TemplateStore, TenantLimits } from '../store/store.ts'
import type { Destinations } from './destination.ts'
import type { LinkSigner } from './link-signer.ts'
import type { Probe } from './probe.ts'

export interface ExportsContext {
  readonly store: JobStore & TemplateStore
  readonly queue: Queue
  readonly storage: Storage
  readonly probe: Probe
  readonly links: LinkSigner
  readonly destinations: Destinations
  /** Read anew at each call: it follows the database's schema. */
  catalog(): Catalog
  now(): Date
  /** How far a tenant may go; absent: as far as it likes. */
  limits?(tenant: string): TenantLimits | null
  /** False while draining: nothing new is accepted. */
  accepting(): boolean
}
