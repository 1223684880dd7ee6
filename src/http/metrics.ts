/** What a monitoring system reads at `/metrics` (Prometheus text format). `docs/operations.md` lists every name. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { JOB_STATUSES } from '../job/job.ts'
import { ETA_POINTS, type RunReport } from '../job/run-report.ts'
import type { UpkeepStore } from '../store/store.ts'

interface RequestReport {
  readonly method: string
  /** The route's pattern, never the address as asked for: that would make a series per id. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

export interface Metrics {
  readonly contentType: string
  /** The figures of this moment. Those the store cannot give now are left out; it never rejects because of them. */
  text(): Promise<string>
  observeRun(report: RunReport): void
  observeRequest(report: RequestReport): void
}

export interface MetricsOptions {
  readonly jobs: Pick<UpkeepStore, 'countByStatus' | 'oldestPendingAt'>
  now(): Date
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerQueue(registry, options)
  const observeRun = runMetrics(registry)
  const requests = new Histogram({
    name: 'freight_http_request_seconds',
    help: 'Duration of HTTP requests by method, route pattern and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers: [registry],
  })
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observeRun,
    observeRequest({ method, route, status, seconds }) {
      requests.observe({ method, route, status }, seconds)
    },
  }
}

function registerQueue(registry: Registry, { jobs, now }: MetricsOptions): void {
  const byStatus: Gauge = new Gauge({
    name: 'freight_jobs',
    help: 'Jobs by status',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      byStatus.reset()
      // A busy store must not take the other figures away: that is when they are needed.
      const counts = await jobs.countByStatus().catch(() => null)
      if (counts) for (const status of JOB_STATUSES) byStatus.set({ status }, counts[status])
    },
  })
  const oldest: Gauge = new Gauge({
    name: 'freight_queue_oldest_pending_seconds',
    help: 'Age of the job that has waited longest; 0 when none waits',
    registers: [registry],
    async collect() {
      oldest.reset()
      const at = await jobs.oldestPendingAt().catch(() => undefined)
      if (at !== undefined) oldest.set(at === null ? 0 : Math.max(0, (now().getTime() - at.getTime()) / 1000))
      else oldest.set(Number.NaN)
    },
  })
}

function runMetrics(registry: Registry): (report: RunReport) => void {
  const registers = [registry]
  const rows = new Counter({
    name: 'freight_rows_total',
    help: 'Rows written by completed runs',
    labelNames: ['resource'],
    registers,
  })
  const bytes = new Counter({
    name: 'freight_bytes_total',
    help: 'Bytes stored by completed runs',
    labelNames: ['resource'],
    registers,
  })
  const seconds = new Histogram({
    name: 'freight_run_seconds',
    help: 'Duration of runs by outcome',
    labelNames: ['outcome'],
    buckets: [0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 43_200],
    registers,
  })
  const eta = new Histogram({
    name: 'freight_eta_error_ratio',
    help: 'Error of the estimated end as a share of the whole run, by the point (per cent) at which it was estimated',
    labelNames: ['point'],
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
    registers,
  })
  return (report) => {
    seconds.observe({ outcome: report.outcome }, report.seconds)
    if (report.outcome === 'completed') {
      rows.inc({ resource: report.resource }, report.rows)
      bytes.inc({ resource: report.resource }, report.bytes)
    }
    for (const point of ETA_POINTS) {
      const error = report.etaErrors[point]
      if (error !== undefined) eta.observe({ point }, error)
    }
  }
}
