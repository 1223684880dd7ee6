/** One run outside any service: the same corridor, into a file of the caller's or a stream. */
import { open, stat } from 'node:fs/promises'
import type { Config } from '../config/resolved.ts'
import { FreightError } from '../job/errors.ts'
import type { Progress } from '../job/job.ts'
import type { Manifest } from '../job/manifest.ts'
import { percentage, RateWindow } from '../job/progress.ts'
import type { CheckedSpec } from '../job/spec.ts'
import type { LogEntry, Results } from '../job/tally.ts'
import type { Parts } from '../parts.ts'
import { NumberedFiles } from './numbered-files.ts'
import { runExport } from './run-export.ts'

/** A file is whole or absent; a stream gets nothing but the data, and is left open. */
export type OneShotOutput = { readonly path: string; readonly force: boolean } | { readonly stream: NodeJS.WritableStream }

export interface OneShotRun {
  readonly spec: CheckedSpec
  readonly parts: Parts
  readonly config: Pick<Config, 'noProgressMs' | 'maxRunMs'>
  readonly output: OneShotOutput
  readonly signal: AbortSignal
  onProgress(progress: Progress): void
}

export interface OneShotResult {
  readonly manifest: Manifest
  /** Where the manifest's files lie, in its order; none when a stream was written. */
  readonly paths: readonly string[]
  readonly results: Results
  readonly errorsLog: readonly LogEntry[]
}

/**
 * Rejects with INVALID_REQUEST before anything is read when the file exists and `force` was not given. A part that is split is written
 * to files whose names are made of the one that was given; when it fails, none of them stays.
 */
export async function runOneShot(input: OneShotRun): Promise<OneShotResult> {
  const { output, parts } = input
  if (!input.spec.parts.some((part) => part.split)) {
    return runInto(input, await openOutput(output, parts), 'path' in output ? [output.path] : [])
  }
  if ('stream' in output) {
    throw new FreightError(
      'INVALID_REQUEST',
      'Several files cannot go to standard output; name a file or a folder with --output.',
    )
  }
  const files = new NumberedFiles(output.path)
  if (!output.force) await files.refuseExisting()
  try {
    const result = await runInto(input, (body, signal) => parts.writeFile(files.next(), body, signal), files.written)
    await files.removeOthers()
    return result
  } catch (error) {
    await files.removeWritten()
    throw error
  }
}

async function runInto(input: OneShotRun, put: Put, paths: readonly string[]): Promise<OneShotResult> {
  const rate = new RateWindow()
  let reached = 0
  const { manifest, results, errorsLog } = await runExport(
    { ...input.config, exportId: 'command-line', run: 1, spec: input.spec, createdAt: new Date() },
    input.parts,
    {
      put: (_name, body, signal) => put(body, signal),
      progress(progress) {
        const at = new Date()
        rate.add(at.getTime(), progress.processed)
        const current = { ...progress, rowsPerSecond: rate.perSecond(), reached, at }
        reached = percentage(current, 'in_progress') ?? reached
        input.onProgress(current)
      },
      fileWritten: () => {},
      session: async () => {},
    },
    input.signal,
  )
  return { manifest, paths, results, errorsLog }
}

type Put = (body: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<number>

async function openOutput(output: OneShotOutput, parts: Parts): Promise<Put> {
  if ('stream' in output) return (body) => writeTo(output.stream, body)
  const { path, force } = output
  const existing = await stat(path).catch(() => null)
  if (existing?.isDirectory()) throw new FreightError('INVALID_REQUEST', `${path} is a folder; name a file in it with --output.`)
  // A device or pipe is written to, never replaced by a file of its name.
  if (existing && !existing.isFile()) return (body) => writeDevice(path, body)
  if (existing && !force)
    throw new FreightError('INVALID_REQUEST', `${path} exists already; choose another --output or add --force.`)
  return (body, signal) => parts.writeFile(path, body, signal)
}

async function writeDevice(path: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  const device = await open(path, 'w')
  let bytes = 0
  try {
    for await (const chunk of body) {
      await device.writeFile(chunk)
      bytes += chunk.length
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    throw new FreightError('STORAGE_FULL', `No space is left on ${path}; free some or choose another --output.`, { cause: error })
  } finally {
    await device.close()
  }
  return bytes
}

async function writeTo(stream: NodeJS.WritableStream, body: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    // Written out before the next is asked for: the chunk's memory is used again.
    await new Promise<void>((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())))
  }
  return bytes
}
