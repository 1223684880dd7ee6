/** A place in the configuration, with the checks that name it when they fail. No message repeats a secret or a URL. */
import { FreightError } from '../job/errors.ts'
import { didYouMean } from '../job/suggestion.ts'

/** One line: the file, the place in it, what is wrong there. */
export function invalid(place: string, message: string, cause?: unknown): FreightError {
  return new FreightError('CONFIG_INVALID', `${place}: ${message}`, { cause })
}

export type Members = Readonly<Record<string, unknown>>

export class Place {
  readonly #shown: string
  readonly #path: string

  constructor(shown: string, path: string) {
    this.#shown = shown
    this.#path = path
  }

  at(key: string): Place {
    return new Place(this.#shown, this.#path === '' ? key : `${this.#path}.${key}`)
  }

  invalid(message: string): FreightError {
    return invalid(this.#path === '' ? this.#shown : `${this.#shown}: ${this.#path}`, message)
  }

  /** Own members only: `{ __proto__: ... }` in a file sets a prototype, and what it holds must not count as written. */
  object(value: unknown, known: readonly string[] | null): Members {
    const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise)
    if (!isPlain) throw this.invalid(`must be an object, not ${kindOf(value)}.`)
    const prototype: unknown = Object.getPrototypeOf(value)
    // Another realm's objects (a test runner's, a vm's) are plain, too: their prototype has no prototype.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw this.invalid('must be a plain object, without __proto__.')
    for (const key of Object.keys(value)) {
      if (known ? known.includes(key) : key !== '__proto__') continue
      throw known
        ? this.invalid(`there is no setting "${key}".${didYouMean(key, known)}`)
        : this.invalid(`"${key}" cannot be a name.`)
    }
    return { ...value }
  }

  map<Value>(value: unknown, check: (at: Place, member: unknown, name: string) => Value): Record<string, Value> {
    const members = Object.entries(this.object(value, null))
    return Object.fromEntries(members.map(([name, member]) => [name, check(this.at(name), member, name)]))
  }

  text(value: unknown): string {
    if (typeof value !== 'string') throw this.invalid(`must be text, not ${kindOf(value)}.`)
    if (value.trim() === '') throw this.invalid('must not be empty.')
    return value
  }

  /** `what` is the noun for one of them. */
  oneOf(value: unknown, known: readonly string[], what: string): string {
    const name = this.text(value)
    if (known.includes(name)) return name
    throw this.invalid(`there is no ${what} "${name}".${didYouMean(name, known)}`)
  }

  texts(value: unknown): void {
    if (!Array.isArray(value)) throw this.invalid(`must be a list of names, not ${kindOf(value)}.`)
    value.forEach((entry, index) => {
      this.at(String(index)).text(entry)
    })
  }

  number(value: unknown, most: number): number {
    if (typeof value !== 'number') throw this.invalid(`must be a number, not ${kindOf(value)}.`)
    if (!(value > 0 && value <= most)) throw this.invalid(`must be more than 0 and at most ${most}.`)
    return value
  }

  count(value: unknown, most: number): number {
    if (Number.isSafeInteger(this.number(value, most))) return this.number(value, most)
    throw this.invalid('must be a whole number.')
  }
}

/** A public name is a word that needs no quotes in a filter, a sort key, a dotted path, a link or a file's name. */
export function checkName(place: Place, value: unknown): void {
  const name = place.text(value)
  if (name in {}) throw place.invalid(`"${name}" cannot be a name.`)
  if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name))
    throw place.invalid('must be a name of letters, digits, "_" and "-", without dots or spaces.')
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'text'
  return value instanceof Promise ? 'a promise' : `a ${typeof value}`
}
