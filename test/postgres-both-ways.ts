/** Rows of PostgreSQL made into a file twice: as the source hands them over for the format, and by the format alone. */
import { csvFormat } from '../src/formats/csv.ts'
import { jsonFormat } from '../src/formats/json.ts'
import { ndjsonFormat } from '../src/formats/ndjson.ts'
import type { RowChunk } from '../src/job/row-text.ts'
import type { CheckedPart, Selected, WrittenForm } from '../src/job/spec.ts'
import { RowTally } from '../src/job/tally.ts'
import { createPostgresSource } from '../src/sources/postgres/postgres.ts'
import { collect } from './contracts/row-text.ts'
import { field } from './contracts/sample-part.ts'

const FORMATS = { csv: csvFormat, json: jsonFormat, ndjson: ndjsonFormat } as const

export interface Made {
  readonly text: string
  /** Counts, changed cells and the log. */
  readonly tally: object
  /** Of the chunks, in the order in which each was first seen. */
  readonly forms: readonly string[]
}

export interface Asked extends Omit<WrittenForm, 'format'> {
  readonly format: keyof typeof FORMATS
}

/** First as the source hands them over. */
export async function bothWays(url: string, part: CheckedPart, { format, output }: Asked): Promise<[Made, Made]> {
  const { layout, encode } = FORMATS[format]
  const source = createPostgresSource({ url, parallel: 1, csv: 'binary' })
  const snapshot = await source.open({ parts: [part], layout }, new AbortController().signal)
  const make = async (wanted?: WrittenForm): Promise<Made> => {
    const tally = new RowTally(part.resource)
    const forms = new Set<string>()
    const bytes = await collect(encode(noting(snapshot.rows(0, wanted), forms), snapshot.shape(0), output, tally))
    const { results, changes, log } = tally
    return { text: bytes.toString(), tally: { results, changes, log }, forms: [...forms] }
  }
  const made: [Made, Made] = [await make({ format, output }), await make()]
  await snapshot.close()
  await source.close()
  return made
}

/** All of them, as fields of their own names and types. */
export async function columnsOf(url: string, table: string): Promise<Selected[]> {
  const source = createPostgresSource({ url, parallel: 1 })
  const described = await source.describe(table)
  await source.close()
  return described?.columns.map(({ name, type, declaredType }) => field(name, { type, declaredType })) ?? []
}

async function* noting(chunks: AsyncIterable<RowChunk>, forms: Set<string>): AsyncIterable<RowChunk> {
  for await (const chunk of chunks) {
    forms.add(chunk.form)
    yield chunk
  }
}
