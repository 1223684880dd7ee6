/** Reads members of a request's body one by one, each refused in the wire's own codes when it is missing or does not fit. */
import { invalidValue, missing, notOneOf } from './faults.ts'

/** An object of the body, and where it stands in it: `dataDestination.s3Details`, or nothing for the body itself. */
export class Members {
  readonly #values: ReadonlyMap<string, unknown>
  readonly #path: string

  /** Throws for what is no object, and for a member that is not `known`. */
  constructor(value: unknown, path: string, known: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidValue(path || 'body', 'an object')
    this.#values = new Map(Object.entries(value))
    this.#path = path
    for (const name of this.#values.keys()) {
      if (!known.includes(name)) throw invalidValue(this.at(name.slice(0, 100)), `an attribute of ${known.join(', ')}`)
    }
  }

  at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  object(name: string, known: readonly string[]): Members {
    return new Members(this.#required(name), this.at(name), known)
  }

  text(name: string, most: number, pattern?: RegExp): string {
    const value = this.#required(name)
    const fits = typeof value === 'string' && value.length <= most && value !== '' && (pattern?.test(value) ?? true)
    if (!fits) throw invalidValue(this.at(name), `text of 1 to ${most} characters${pattern ? ` like ${pattern.source}` : ''}`)
    return value
  }

  oneOf<Value extends string>(name: string, allowed: readonly Value[]): Value {
    return this.#allowed(name, this.#required(name), allowed)
  }

  someOf<Value extends string>(name: string, allowed: readonly Value[]): Value[] {
    const values = this.#required(name)
    if (!Array.isArray(values) || values.length === 0 || values.length > 100) {
      throw invalidValue(this.at(name), `a list of ${allowed.join(', ')}`)
    }
    return values.map((value) => this.#allowed(name, value, allowed))
  }

  flag(name: string): boolean {
    if (!this.has(name)) return false
    const value = this.#values.get(name)
    if (typeof value !== 'boolean') throw invalidValue(this.at(name), 'true or false')
    return value
  }

  port(name: string, otherwise: number): number {
    if (!this.has(name)) return otherwise
    const value = this.#values.get(name)
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value
    throw invalidValue(this.at(name), 'a whole number from 1 to 65535')
  }

  #required(name: string): unknown {
    if (!this.has(name)) throw missing(this.at(name))
    return this.#values.get(name)
  }

  #allowed<Value extends string>(name: string, value: unknown, allowed: readonly Value[]): Value {
    const found = allowed.find((each) => each === value)
    if (found === undefined) throw notOneOf(this.at(name), allowed)
    return found
  }
}
