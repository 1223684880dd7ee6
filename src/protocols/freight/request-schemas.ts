/** What Freight's own API takes, as JSON Schema: what validates requests is what `/openapi.json` shows. */
import Type, { type Static } from 'typebox'
import { JOB_STATUSES } from '../../job/job.ts'
import type { CompressionName, FormatName, OnRowError, Split } from '../../job/spec.ts'
import { closed, nullableFlag, nullableInteger, nullableText, plainObject, type Words } from './schema-words.ts'

const FORMATS = ['csv', 'json', 'ndjson', 'parquet', 'xlsx'] as const satisfies readonly FormatName[]
const COMPRESSIONS = ['gzip', 'zstd', null] as const satisfies readonly (CompressionName | null)[]

export const ON_ROW_ERROR = ['fail', 'skip'] as const satisfies readonly OnRowError[]

const names = (words: Words) => Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 1_000, ...words })

/** Of which `split` has one. */
export const splitSizes = {
  rows: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Rows in each file but the last.' },
  bytes: {
    type: 'integer',
    minimum: 1024,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Size near which a file is ended, before compression.',
  },
}

export const part = {
  resource: Type.String({ minLength: 1, maxLength: 200, description: 'Name of a resource, as GET /resources lists them.' }),
  fields: names({
    description: 'Field names, dotted ones through relations, `*` and `relation.*`. Absent or empty: every field.',
  }),
  includes: names({ description: 'Relations to include whole: dotted paths to three levels.', maxItems: 100 }),
  filters: plainObject({
    maxProperties: 200,
    description: 'ANDed: `{"status_eq": "paid", "customer.email_cont": "@acme"}`. A list is an array.',
  }),
  sort: names({ description: 'Field names in order; a leading minus sorts descending.', maxItems: 20 }),
  limit: nullableInteger({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Rows at most; null for all.' }),
  split: Type.Unsafe<Split | null>({
    type: ['object', 'null'],
    properties: splitSizes,
    minProperties: 1,
    maxProperties: 1,
    ...closed,
    description: 'Several files instead of one, each whole and readable by itself: `{"rows": N}` or `{"bytes": N}`.',
  }),
}

export const PartBody = Type.Object({ ...Type.Partial(Type.Object(part)).properties, resource: part.resource }, closed)

export const OptionsBody = Type.Object(
  {
    profile: Type.Optional(
      nullableText({ description: 'CSV: `machine` (lossless, the default), `excel`, `excel-eu`, `postgres` or `bigquery`.' }),
    ),
    delimiter: Type.Optional(nullableText({ description: 'CSV: one character between cells.' })),
    header: Type.Optional(nullableFlag({ description: 'CSV: whether the first line names the columns.' })),
    quoting: Type.Optional(nullableText({ description: 'CSV: `minimal` or `all`.' })),
    null_text: Type.Optional(nullableText({ description: 'CSV: what stands for NULL.' })),
    bom: Type.Optional(nullableFlag({ description: 'CSV: whether the file begins with a byte order mark.' })),
    line_end: Type.Optional(nullableText({ description: 'CSV: `lf` or `crlf`.' })),
    times: Type.Optional(
      nullableText({ description: "`database` (the database's own text) or `rfc3339`; XLSX: `native` (dates) or `database`." }),
    ),
    time_zone: Type.Optional(nullableText({ description: 'IANA name, where times are RFC 3339 or native.' })),
    max_cell_mb: Type.Optional(
      nullableInteger({ minimum: 1, maximum: 64, description: 'Parquet: how large a cell may be, in megabytes; 2 when absent.' }),
    ),
  },
  { ...closed, description: "How the bytes look. Absent or null: the profile's own choice." },
)

/** POST /exports and POST /exports/estimate. */
export const ExportBody = Type.Object(
  {
    ...Type.Partial(Type.Object(part)).properties,
    parts: Type.Optional(
      Type.Array(PartBody, {
        minItems: 1,
        maxItems: 10,
        description: 'Several resources read in one snapshot, instead of `resource`.',
      }),
    ),
    format: Type.Optional(Type.Enum([...FORMATS], { default: 'csv' })),
    compression: Type.Optional(Type.Unsafe<CompressionName | null>({ enum: [...COMPRESSIONS] })),
    dry_data: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Leaves out keys and timestamps, so that the rows can be imported elsewhere.',
      }),
    ),
    options: Type.Optional(OptionsBody),
    on_row_error: Type.Optional(
      Type.Enum([...ON_ROW_ERROR], {
        default: 'fail',
        description:
          'Whether a wrong row (made by code, or one that does not fit into a Parquet file) fails the export, or is left out, counted and listed.',
      }),
    ),
    reference: Type.Optional(
      nullableText({ maxLength: 255, description: 'Your own name for this export; GET /exports finds it.' }),
    ),
    reference_origin: Type.Optional(nullableText({ maxLength: 255, description: 'Where the reference comes from.' })),
    metadata: Type.Optional(
      plainObject({ maxProperties: 50, description: 'Kept and given back as it is: at most 50 keys, 16 KB, 5 levels.' }),
    ),
  },
  {
    ...closed,
    title: 'ExportRequest',
    examples: [{ resource: 'orders', format: 'csv', filters: { status_eq: 'approved' }, sort: ['-created_at'] }],
  },
)
export type ExportBody = Static<typeof ExportBody>

export const NoQuery = Type.Object({}, closed)

export const STATUSES = [...JOB_STATUSES, 'expired'] as const

export const ListQuery = Type.Object(
  {
    status: Type.Optional(Type.Enum([...STATUSES])),
    resource: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    reference: Type.Optional(Type.String({ maxLength: 255 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: '`next_cursor` of the page before, with the same filters.' }),
    ),
  },
  closed,
)
export type ListQuery = Static<typeof ListQuery>

export const ExportParams = Type.Object({ id: Type.String({ description: "The export's id." }) })
export const FileParams = Type.Object({ id: Type.String(), n: Type.String({ description: 'Number of the file, from 1.' }) })
