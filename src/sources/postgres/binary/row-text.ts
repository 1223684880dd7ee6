/** Rows of COPY BINARY as the `json` form of row text, for those that the format has to look at. */

import type { BinaryField } from './fields.ts'
import { cellValue } from './json.ts'
import { Constant, type Memory } from './memory.ts'
import { type BinaryRowWriter, NULL } from './plan.ts'
import type { ValueWriter } from './values.ts'

const NEWLINE = 10
const COMMA = 44
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const WORD_NULL = new Constant('null')

export class RowText implements BinaryRowWriter {
  next = 0
  readonly #writers: readonly ValueWriter[]

  constructor(fields: readonly BinaryField[]) {
    this.#writers = fields.map(({ type }) => cellValue(type))
  }

  write(src: Memory, from: number, out: Memory, begin: number): number {
    const writers = this.#writers
    const { length } = writers
    let i = from
    let p = begin
    for (let k = 0; k < length; k++) {
      if (p > out.room) return p
      out.bytes[p++] = k === 0 ? OPEN_BRACKET : COMMA
      const bytes = src.words.getInt32(i)
      i += 4
      if (bytes === NULL) p = WORD_NULL.put(out, p)
      else {
        p = (writers[k] as ValueWriter)(src, i, i + bytes, out, p)
        i += bytes
      }
    }
    out.bytes[p] = CLOSE_BRACKET
    out.bytes[p + 1] = NEWLINE
    this.next = i
    return p + 2
  }
}
