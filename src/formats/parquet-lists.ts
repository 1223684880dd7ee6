/** Lists as databases write them: PostgreSQL's array literals and JSON arrays, as one JSON array of texts that DuckDB casts. */
import { isDecimal, isInteger64 } from './parquet-numbers.ts'

const PATTERNS: Readonly<Record<string, RegExp>> = {
  DOUBLE: /^-?\d+(\.\d+)?(e[+-]?\d{1,3})?$|^-?Infinity$|^NaN$/i,
  BOOLEAN: /^(t|f|true|false)$/,
  DATE: /^\d{4}-\d\d-\d\d$/,
  UUID: /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  TIMESTAMP: /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?$/,
  TIMESTAMPTZ: /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d(:?\d\d)?)?$/,
}

type Element = string | null

interface ListText {
  /** JSON: the elements, each a text. */
  readonly text: string
  /** Half a surrogate pair, which no Parquet text can hold, became U+FFFD. */
  readonly isReplaced: boolean
}

/** Null where the text is no list of one dimension with elements of this type. */
export function listText(text: string, written: string): ListText | null {
  const elements = text.startsWith('{') ? arrayLiteral(text) : jsonArray(text)
  if (elements === null) return null
  if (!elements.every((each) => each === null || isOfType(each, written.slice(0, -2)))) return null
  const isReplaced = !elements.every((each) => each === null || each.isWellFormed())
  return { text: JSON.stringify(isReplaced ? elements.map((each) => each?.toWellFormed() ?? null) : elements), isReplaced }
}

function isOfType(text: string, type: string): boolean {
  const bytes = Buffer.from(text)
  if (type === 'BIGINT') return isInteger64(bytes, 0, bytes.length)
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? []
  if (precision !== undefined) return text !== '' && isDecimal(bytes, 0, bytes.length, Number(precision), Number(scale))
  return PATTERNS[type]?.test(text) ?? true
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
