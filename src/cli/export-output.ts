/** Where `freight export` writes: a file that appears whole, or standard output. */
import { accessSync, constants, readdirSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { FreightError } from '../job/errors.ts'
import { isNumberedName } from '../job/numbered-name.ts'
import { CommandFailure } from './fault.ts'

export interface FileOutput {
  readonly path: string
  readonly force: boolean
}

export interface StreamOutput {
  readonly stream: NodeJS.WriteStream
  /** Aborts when the stream can take no more. */
  readonly signal: AbortSignal
  /** Why it can take no more; null while it can. */
  failure(): NodeJS.ErrnoException | null
}

/** `-` is standard output. An existing file is refused without `force`, before anything is read. */
export function chooseOutput(name: string, force: boolean): FileOutput | StreamOutput {
  if (name === '-') return streamOutput(process.stdout)
  return { path: freePath('--output', name, force), force }
}

/** Where the files of a split export go: into the folder that is named, or under numbered names made of the one that is named. */
export function chooseSplitOutput(name: string, fileName: string, force: boolean): FileOutput {
  if (name === '-') throw new CommandFailure('Several files cannot go to standard output; name a file or a folder with --output.')
  const isFolder = /[/\\]$/.test(name) || statOf(resolve(name))?.isDirectory()
  const path = isFolder ? resolve(name, fileName) : resolve(name)
  checkFolder(dirname(path), '--output')
  const existing = readdirSync(dirname(path)).find((other) => isNumberedName(basename(path), other))
  if (existing !== undefined && !force)
    throw new CommandFailure(`"${existing}" exists already; --force replaces it, --output names other files.`)
  return { path, force }
}

/** The absolute path, if something may be written there: a new file, a device, or with `force` a file that is there. */
export function freePath(flag: '--output' | '--manifest', name: string, force: boolean): string {
  const path = resolve(name)
  const there = statOf(path)
  if (there?.isDirectory()) throw new CommandFailure(`"${name}" is a folder; name a file in it with ${flag}.`)
  if (there?.isFile() && !force)
    throw new CommandFailure(`"${name}" exists already; --force replaces it, ${flag} names another file.`)
  // A device or pipe that is there is written to; everything else is made in its folder.
  if (!there || there.isFile()) checkFolder(dirname(path), flag)
  return path
}

function checkFolder(folder: string, flag: string): void {
  if (!statOf(folder)?.isDirectory())
    throw new CommandFailure(`There is no folder "${folder}"; make it, or name another with ${flag}.`)
  try {
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw new CommandFailure(`The folder "${folder}" cannot be written to; name another with ${flag}.`, { cause: error })
  }
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new CommandFailure(`"${path}" cannot be written: ${message}`, { cause: error })
  }
}

function streamOutput(stream: NodeJS.WriteStream): StreamOutput {
  const broken = new AbortController()
  let failure: NodeJS.ErrnoException | null = null
  stream.on('error', (error) => {
    failure ??= error
    broken.abort()
  })
  return { stream, signal: broken.signal, failure: () => failure }
}

/** Null for a reader that went away (`| head`): it has what it wanted, so nothing is said. */
export function outputFault(failure: NodeJS.ErrnoException): FreightError | null {
  if (failure.code === 'EPIPE') return null
  const isFull = failure.code === 'ENOSPC' || failure.code === 'EDQUOT' || failure.code === 'EFBIG'
  const message = isFull
    ? 'There is no space left where standard output goes; the export is not complete.'
    : `Standard output cannot be written (${failure.code ?? failure.message}); the export is not complete.`
  return new FreightError(isFull ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', message, { cause: failure })
}
