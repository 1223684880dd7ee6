/** Reads the objects of JSON and NDJSON files with JSON.parse, numbers by the very digits in the file. */

/** `JSON.parse` with the text of each number (https://tc39.es/proposal-json-parse-with-source/), which the type declarations lack. */
type ParseWithSource = (text: string, revive: (name: string, value: unknown, context: { source?: string }) => unknown) => unknown

class Digits {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export function readObjects(objects: readonly string[]): { names: string[]; rows: (string | null)[][] } {
  let names: string[] = []
  const rows = objects.map((text) => {
    const parsed = (JSON.parse as ParseWithSource)(text, (_, value, context) =>
      typeof value === 'number' ? new Digits(context.source ?? '') : value,
    )
    const entries = Object.entries(parsed as object)
    names = entries.map(([name]) => name)
    return entries.map(([, value]) => cellText(value))
  })
  return { names, rows }
}

function cellText(value: unknown): string | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Digits) return value.text
  return JSON.stringify(value, (_, inner) => (inner instanceof Digits ? (JSON as unknown as RawJson).rawJSON(inner.text) : inner))
}

interface RawJson {
  rawJSON(text: string): unknown
}
