/**
 * What tables were when they could last be read, kept over restarts. A source that is away, or a file that is broken, then takes its own exports
 * with it and not the whole service: they fail by its name until it is whole again.
 */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { ResolvedSource } from '../config/resolved.ts'
import type { TableDescription } from '../sources/source.ts'

type Entry = readonly [key: string, description: TableDescription]

export class RememberedTables {
  readonly #path: string
  #tables: ReadonlyMap<string, TableDescription>
  #met = new Map<string, TableDescription>()
  #written = ''

  /** A file that is not there, or says nothing, is as good as an empty one. */
  constructor(path: string) {
    this.#path = path
    this.#tables = new Map(readEntries(path))
  }

  /** Undefined where it was never read at this address. */
  find(source: ResolvedSource, table: string): TableDescription | undefined {
    const key = keyOf(source, table)
    const found = this.#tables.get(key)
    if (found) this.#met.set(key, found)
    return found
  }

  keep(source: ResolvedSource, table: string, description: TableDescription): void {
    this.#met.set(keyOf(source, table), description)
  }

  /** What was kept or found since the last time is known from now on, and nothing else. */
  save(): void {
    this.#tables = this.#met
    this.#met = new Map()
    const text = JSON.stringify([...this.#tables])
    if (text === this.#written) return
    writeFileSync(`${this.#path}.new`, text, { mode: 0o600 })
    renameSync(`${this.#path}.new`, this.#path)
    this.#written = text
  }
}

function readEntries(path: string): Entry[] {
  try {
    const entries: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Array.isArray(entries) ? (entries as Entry[]) : []
  } catch {
    return []
  }
}

/** By the address, so that a mistake in a changed one is found at the start; without what may be secret in it. */
function keyOf({ url }: ResolvedSource, table: string): string {
  const address = url.replace(/\?.*$/s, '').replace(/\/\/[^/]*@/, '//')
  return createHash('sha256')
    .update(JSON.stringify([address, table]))
    .digest('hex')
}
