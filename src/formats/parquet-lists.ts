/** Lists as databases write them: PostgreSQL's array literals and JSON arrays, as one JSON array of texts that DuckDB casts. */
import { Cursor, MalformedRow } from './cells.ts'
import { TypedCells } from './parquet-cells.ts'
import type { ParquetColumn } from './parquet-columns.ts'

type Element = string | null

const NUMERIC: ReadonlySet<string> = new Set(['integer', 'decimal', 'float'])

interface ListText {
  /** JSON: the elements, each a text. */
  readonly text: string
  /** Half a surrogate pair, which no Parquet text can hold, became U+FFFD. */
  readonly isReplaced: boolean
}

/** Writes the elements of lists under the rules of single values. */
export class ListWriter {
  readonly #cursor = new Cursor()
  readonly #typed = new TypedCells(this.#cursor)

  /** Null where the text is no list of one dimension with elements of this type. */
  list(text: string, element: ParquetColumn): ListText | null {
    const elements = text.startsWith('{') ? arrayLiteral(text) : jsonArray(element.kind === 'float' ? quoted(text) : text)
    if (elements === null) return null
    if (element.kind !== 'text') return this.#typedList(elements, element)
    const isReplaced = !elements.every((each) => each === null || each.isWellFormed())
    return { text: JSON.stringify(isReplaced ? elements.map((each) => each?.toWellFormed() ?? null) : elements), isReplaced }
  }

  #typedList(elements: readonly Element[], element: ParquetColumn): ListText | null {
    const texts: Element[] = []
    for (const each of elements) {
      const text = each === null ? null : this.#value(each, element)
      if (text === undefined) return null
      texts.push(text)
    }
    return { text: JSON.stringify(texts), isReplaced: false }
  }

  /** The element as DuckDB casts it; undefined where it is no value of the type. */
  #value(text: string, element: ParquetColumn): string | undefined {
    const cursor = this.#cursor
    cursor.src = Buffer.from(`${text}"`)
    // A decimal with an exponent is written with all its zeros, at most a hundred of them.
    if (cursor.out.length < cursor.src.length + 200) cursor.out = new Uint8Array(cursor.src.length * 2 + 200)
    cursor.i = 0
    cursor.p = 0
    const isNumber = NUMERIC.has(element.kind) && /^-?\d/.test(text)
    try {
      if (!(isNumber ? this.#typed.number(element) : this.#typed.text(element))) return undefined
    } catch (thrown) {
      if (thrown instanceof MalformedRow) return undefined
      throw thrown
    }
    // A number ends before the quote, a text behind it.
    if (cursor.i + (isNumber ? 1 : 0) !== cursor.src.length) return undefined
    return Buffer.from(cursor.out.subarray(0, cursor.p)).toString('latin1')
  }
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayLiteral(text: string): Element[] | null {
  if (text === '{}') return []
  const elements: Element[] = []
  let i = 1
  for (;;) {
    const isQuoted = text[i] === '"'
    let element = ''
    if (isQuoted) i++
    for (; ; i++) {
      const c = text[i]
      if (c === undefined || (!isQuoted && c === '{')) return null
      if (isQuoted ? c === '"' : c === ',' || c === '}') break
      element += c === '\\' ? (text[++i] ?? '') : c
    }
    if (isQuoted) i++
    elements.push(!isQuoted && element === 'NULL' ? null : element)
    if (text[i] === '}') return i === text.length - 1 ? elements : null
    if (text[i++] !== ',') return null
  }
}

/** DuckDB's JSON of doubles has NaN and infinity bare. */
function quoted(doubles: string): string {
  return doubles.replaceAll(/(?<=[[,]\s*)(NaN|-?Infinity)/g, '"$1"')
}

/** Numbers keep the digits that they are written with. */
function jsonArray(text: string): Element[] | null {
  try {
    const parsed = JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }): unknown =>
      typeof value === 'number' ? (context?.source ?? String(value)) : value,
    ) as unknown
    if (!Array.isArray(parsed)) return null
    const elements = parsed.map((each: unknown) => (typeof each === 'boolean' ? String(each) : each))
    return elements.every((each) => each === null || typeof each === 'string') ? elements : null
  } catch {
    return null
  }
}
