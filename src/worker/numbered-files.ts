/** The files of a split one-shot export: `orders-00001.csv` and so on, beside each other in a folder of the caller's. */
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FreightError } from '../job/errors.ts'
import { isNumberedName, numberedName } from '../job/numbered-name.ts'

export class NumberedFiles {
  readonly #path: string
  readonly #written: string[] = []

  /** `path` is the name that each file's is made of. */
  constructor(path: string) {
    this.#path = path
  }

  /** In the order in which they were asked for. */
  get written(): readonly string[] {
    return this.#written
  }

  /** Rejects with INVALID_REQUEST where a file of such a name is there already. */
  async refuseExisting(): Promise<void> {
    const [first] = await this.#existing()
    if (first === undefined) return
    throw new FreightError('INVALID_REQUEST', `${first} exists already; choose another --output or add --force.`)
  }

  next(): string {
    const path = join(dirname(this.#path), numberedName(basename(this.#path), this.#written.length + 1))
    this.#written.push(path)
    return path
  }

  /** The files of an earlier export that had more of them: left there, they would be taken for this one's. */
  async removeOthers(): Promise<void> {
    for (const path of await this.#existing()) if (!this.#written.includes(path)) await rm(path, { force: true })
  }

  /** An export that fails leaves no part of itself. */
  async removeWritten(): Promise<void> {
    for (const path of this.#written) await rm(path, { force: true })
  }

  async #existing(): Promise<string[]> {
    const folder = dirname(this.#path)
    const names = await readdir(folder)
    return names.filter((name) => isNumberedName(basename(this.#path), name)).map((name) => join(folder, name))
  }
}
