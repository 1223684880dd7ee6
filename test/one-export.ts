/** One export of a source, in this process, over the whole corridor: what a caller gets as a file. */
import { Writable } from 'node:stream'
import type { SourceConfig } from '../src/config/freight-config.ts'
import { resolveConfig } from '../src/config.ts'
import type { OnRowError, OutputRequest, PartRequest } from '../src/job/spec.ts'
import { exportOnce } from '../src/one-shot.ts'
import type { OneShotResult } from '../src/worker/one-shot.ts'

export interface AskedExport extends Partial<PartRequest> {
  readonly resource: string
  readonly format?: string
  readonly options?: OutputRequest
  readonly onRowError?: OnRowError
  readonly signal?: AbortSignal
  readonly noProgressMs?: number
}

export interface ExportedFile extends OneShotResult {
  readonly bytes: Buffer
  readonly text: string
}

/** Every table of the source may be asked for. */
export async function exportFile(source: SourceConfig, asked: AskedExport): Promise<ExportedFile> {
  const { format = 'csv', options = {}, signal = new AbortController().signal, noProgressMs, onRowError, ...part } = asked
  const config = resolveConfig({ source, resources: { any: { tenant: 'shared' } } }, '/', {})
  const resolved = config.sources.main
  if (!resolved) throw new Error('one source is called main')
  const pieces: Buffer[] = []
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      pieces.push(Buffer.from(chunk))
      done()
    },
  })
  const result = await exportOnce({
    config: { ...config, ...(noProgressMs === undefined ? {} : { noProgressMs }) },
    source: resolved,
    request: {
      parts: [{ fields: [], includes: [], filters: {}, sort: [], limit: null, ...part }],
      format,
      compression: null,
      options,
      dryData: false,
      ...(onRowError === undefined ? {} : { onRowError }),
    },
    output: { stream },
    signal,
    onProgress() {},
  })
  const bytes = Buffer.concat(pieces)
  return { ...result, bytes, text: bytes.toString() }
}
