/** The secrets that sign links: given by the environment, or made once and kept in the data folder. */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FreightError } from '../job/errors.ts'

const FILE = 'secret'
/** 128 bits when random. A made one has 256. */
const SHORTEST = 16
/** Fewer different characters than this are a placeholder, not a secret. */
const FEWEST_DIFFERENT = 8

/** What the configuration says of secrets; `dataDir` is absolute, null is "not given". */
export interface SecretSettings {
  readonly dataDir: string
  readonly secret: string | null
  readonly secretPrevious: string | null
}

/**
 * The first signs, all verify. Throws CONFIG_INVALID for a secret that is too short or plainly an example, and for a kept
 * one that others on this machine may read or change: it must be taken as known to them.
 */
export function loadSecrets(config: SecretSettings): readonly string[] {
  const current = config.secret === null ? keptSecret(config.dataDir) : strong(config.secret, 'FREIGHT_SECRET')
  if (config.secretPrevious === null) return [current]
  return [current, strong(config.secretPrevious, 'FREIGHT_SECRET_PREVIOUS')]
}

function strong(secret: string, name: string): string {
  if (secret.length >= SHORTEST && new Set(secret).size >= FEWEST_DIFFERENT) return secret
  throw new FreightError(
    'CONFIG_INVALID',
    `${name} is too easy to guess: give at least ${SHORTEST} random characters, for example from "openssl rand -base64 32".`,
  )
}

function keptSecret(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, FILE)
  return read(path) ?? make(path) ?? read(path) ?? unreadable()
}

/** Null when there is none yet. */
function read(path: string): string | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null
    return unreadable(thrown)
  }
  try {
    // Windows has no such modes and reports every file as readable by all.
    if (process.platform !== 'win32' && (fstatSync(file).mode & 0o077) !== 0) {
      throw new FreightError(
        'CONFIG_INVALID',
        'The file "secret" in the data folder may be read or changed by other users. Remove it (a new one is made, and links given out so far stop working), or, when nobody else can have read it, run "chmod 600" on it.',
      )
    }
    return strong(readFileSync(file, 'utf8').trim(), 'The file "secret" in the data folder')
  } finally {
    closeSync(file)
  }
}

/** Written aside and linked into place: a crash leaves no half secret, and of two processes only one makes it. Null for the other. */
function make(path: string): string | null {
  const secret = randomBytes(32).toString('base64url')
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = openSync(aside, 'wx', 0o600)
    try {
      writeSync(file, `${secret}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    linkSync(aside, path)
    syncFolder(path)
    return secret
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return null
    throw new FreightError(
      'CONFIG_INVALID',
      'No secret can be kept in the data folder. Make it writable, or set FREIGHT_SECRET.',
      {
        cause: thrown,
      },
    )
  } finally {
    rmSync(aside, { force: true })
  }
}

/** So that the name outlives a power loss too. Windows cannot open a folder, and needs no such call. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function unreadable(cause?: unknown): never {
  throw new FreightError(
    'CONFIG_INVALID',
    'The file "secret" in the data folder cannot be read. Set FREIGHT_SECRET, or mend it.',
    {
      cause,
    },
  )
}
