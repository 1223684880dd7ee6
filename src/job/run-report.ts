/** What a run tells the metrics when it ends. */

/** The points of a run at which its estimate of the end is kept and judged later. */
export const ETA_POINTS = [10, 50, 90] as const
export type EtaPoint = (typeof ETA_POINTS)[number]

export interface RunReport {
  readonly resource: string
  readonly outcome: 'completed' | 'failed' | 'retried' | 'interrupted' | 'returned'
  readonly rows: number
  readonly bytes: number
  readonly seconds: number
  /** |estimated end - true end| as a share of the whole run, at each point that had an estimate. */
  readonly etaErrors: Readonly<Partial<Record<EtaPoint, number>>>
}
