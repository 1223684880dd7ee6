/**
 * Values in SQL text. COPY takes no parameters, so they stand in it as literals: made by pg's own escaping, here and nowhere else.
 */
import pg from 'pg'
import { FreightError } from '../../job/errors.ts'
import type { Binder } from '../compile.ts'

export class LiteralBinder implements Binder {
  #aliases = 0

  /** A literal whose type the database finds out, or is told by a cast behind it. */
  bind(value: unknown): string {
    return literal(String(value))
  }

  alias(): string {
    this.#aliases += 1
    return `t${this.#aliases}`
  }
}

export function literal(text: string): string {
  // A NUL would end the statement in the middle.
  if (text.includes('\0')) throw new FreightError('FILTER_VALUE_INVALID', 'PostgreSQL has no text with NUL characters.')
  return pg.escapeLiteral(text)
}

/** The text of an array, for one literal however long the list is (https://www.postgresql.org/docs/current/arrays.html, "Array Input"). */
export function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

export function quoteName(name: string): string {
  return pg.escapeIdentifier(name)
}
