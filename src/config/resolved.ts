/** What the rooms get of the configuration: checked, complete, and plain data, since it is posted to threads as it stands. */
import type { Quotas } from '../job/limits.ts'
import type { ProtocolsConfig } from '../protocols/settings.ts'
import type { CheckedIssuer } from './access.ts'
import type { DeliverySettings } from './delivery.ts'
import type { ResourceConfig } from './freight-config.ts'

export interface ResolvedSource {
  readonly url: string
  readonly consistency: 'snapshot' | 'locking'
  /** Absolute. */
  readonly folders?: readonly string[]
  readonly parallel: number
  readonly sessionVariables?: Readonly<Record<string, string>>
}

export type ResolvedResource = ResourceConfig & { readonly source: string; readonly table: string }

export interface Config {
  readonly host: string
  readonly port: number
  /** Absolute. */
  readonly dataDir: string
  /** Origin (and path) that links and addresses begin with, without a trailing slash; null: the address that is listened on. */
  readonly publicUrl: string | null
  /** From FREIGHT_SECRET and FREIGHT_SECRET_PREVIOUS; null: made and kept in the data folder. */
  readonly secret: string | null
  readonly secretPrevious: string | null
  readonly logLevel: string
  readonly sources: Readonly<Record<string, ResolvedSource>>
  readonly resources: Readonly<Record<string, ResolvedResource>>
  readonly protocols: ProtocolsConfig
  readonly delivery: DeliverySettings
  readonly concurrency: number
  readonly retentionMs: number
  readonly linkMs: number
  readonly drainMs: number
  readonly maxRunMs: number
  /** A run that neither reads nor writes for this long is ended with NO_PROGRESS. */
  readonly noProgressMs: number
  readonly requestsPerMinute: number
  readonly issuers: readonly CheckedIssuer[]
  readonly limits: Quotas
  /** How long a token that Freight grants works. */
  readonly tokenMs: number
  /** How long the audit is kept. */
  readonly auditMs: number
}
