/**
 * The wire of Freight's own API as JSON Schema: what validates requests is what `/openapi.json` shows. A field that may
 * be null is a type pair and a closed list is an enum, because unions make unreadable errors.
 */
import Type, { type Static, type TSchema } from 'typebox'
import { ERROR_CODES } from '../../job/errors.ts'
import { EVENT_TYPES, JOB_STATUSES } from '../../job/job.ts'
import { CELL_TYPES } from '../../job/row-text.ts'
import { type CompressionName, type FormatName, MASK_NAMES, type OnRowError, type Split } from '../../job/spec.ts'

const FORMATS = ['csv', 'json', 'ndjson', 'parquet', 'xlsx'] as const satisfies readonly FormatName[]
const COMPRESSIONS = ['gzip', 'zstd', null] as const satisfies readonly (CompressionName | null)[]

const ON_ROW_ERROR = ['fail', 'skip'] as const satisfies readonly OnRowError[]

type Words = { description: string; [keyword: string]: unknown }

const closed = { additionalProperties: false } as const
const nullableText = (words: Words) => Type.Unsafe<string | null>({ type: ['string', 'null'], ...words })
const nullableFlag = (words: Words) => Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], ...words })
const nullableInteger = (words: Words) => Type.Unsafe<number | null>({ type: ['integer', 'null'], ...words })
const nullableNumber = (words: Words) => Type.Unsafe<number | null>({ type: ['number', 'null'], ...words })
const time = (description: string) => Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description })
const plainObject = (words: Words) => Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', ...words })
const names = (words: Words) => Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 1_000, ...words })

const part = {
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
    properties: {
      rows: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Rows in each file but the last.' },
      bytes: {
        type: 'integer',
        minimum: 1024,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Size near which a file is ended, before compression.',
      },
    },
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

const STATUSES = [...JOB_STATUSES, 'expired'] as const

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

const Count = Type.Integer({ minimum: 0 })
const Field = Type.Object({ resource: Type.String(), name: Type.String(), type: Type.Enum([...CELL_TYPES]) })

const File = { name: Type.String(), resource: Type.String(), rows: Count, bytes: Count, sha256: Type.String() }

const Manifest = Type.Object({
  version: Type.Integer(),
  export: Type.String({ format: 'uuid' }),
  attempt: Type.Integer({ description: 'Which attempt wrote the files.' }),
  format: Type.String(),
  compression: nullableText({ description: 'Null for none.' }),
  output: plainObject({ description: 'Every choice about the bytes, made.' }),
  snapshot_at: time('When the read transaction began; null where the source cannot tell.'),
  files: Type.Array(Type.Object(File), {
    description: 'In the order in which /exports/{id}/files/{n} counts them. Bytes and SHA-256 are of the file as downloaded.',
  }),
  fields: Type.Array(Field, { description: 'Columns in the file.' }),
  changes: Type.Array(Type.Object({ resource: Type.String(), column: Type.String(), cause: Type.String(), cells: Count }), {
    description: "Cells that are not the database's own text, counted by column and cause.",
  }),
  masks: Type.Array(Type.Object({ resource: Type.String(), name: Type.String(), mask: Type.Enum([...MASK_NAMES]) }), {
    description: 'Fields of which the file holds something else than their values.',
  }),
  delivery: Type.Optional(
    Type.Object(
      {
        place: Type.String({ description: 'Without credentials: s3://bucket/folder or sftp://host:port/folder.' }),
        files: Type.Array(Type.Object({ name: Type.String(), bytes: Count, verified: Type.Enum(['md5', 'size']) }), {
          description: "`verified`: by the destination's own digest, or by its count of bytes.",
        }),
        delivered_at: time('When the last of them had arrived.'),
      },
      { description: 'What stands at the destination. Absent where files were not copied anywhere.' },
    ),
  ),
})

const nullable = (schema: TSchema) => Type.Unsafe<unknown>({ anyOf: [schema, { type: 'null' }] })

const Progress = Type.Object({
  processed: Count,
  total: nullableInteger({ description: 'Null while nothing is known.' }),
  total_is_estimate: Type.Boolean(),
  percentage: nullableNumber({ minimum: 0, maximum: 100, description: '100 only when completed.' }),
  rows_per_second: nullableNumber({ description: 'Of the last seconds.' }),
})

export const ExportSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    tenant: Type.String(),
    mode: Type.Enum(['live', 'test']),
    status: Type.Enum([...STATUSES]),
    queue_position: nullableInteger({
      description: 'How many exports run before this one; 0: it is next. Null when it does not wait.',
    }),
    resource: nullableText({ description: 'Null when the export has several parts.' }),
    fields: nullable(part.fields),
    includes: nullable(part.includes),
    filters: nullable(part.filters),
    sort: nullable(part.sort),
    limit: nullableInteger({ description: 'Rows at most; null for all.' }),
    split: nullable(part.split),
    parts: nullable(Type.Array(PartBody)),
    format: Type.String(),
    compression: nullableText({ description: 'Null for none.' }),
    dry_data: Type.Boolean(),
    options: OptionsBody,
    on_row_error: Type.Enum([...ON_ROW_ERROR]),
    reference: nullableText({ description: 'As given.' }),
    reference_origin: nullableText({ description: 'As given.' }),
    metadata: plainObject({ description: 'As given.' }),
    progress: Progress,
    estimated_completion_at: time('Judged anew at each read; null while it cannot be known.'),
    created_at: Type.String({ format: 'date-time' }),
    updated_at: Type.String({ format: 'date-time' }),
    started_at: time('When the latest attempt began.'),
    completed_at: time('When the files were ready.'),
    failed_at: time('When it failed.'),
    interrupted_at: time('When it was interrupted.'),
    cancelled_at: time('When it was cancelled.'),
    expires_at: time('When the files stop being offered.'),
    results: nullable(Type.Object({ successful: Count, warnings: Count, errors: Count })),
    error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    errors_log: Type.Array(
      Type.Object({
        resource: Type.String(),
        row: Count,
        key: nullableText({ description: "The row's primary key." }),
        column: nullableText({ description: 'Null for the whole row.' }),
        what: Type.String(),
      }),
      { description: 'The first hundred rows that were changed or left out.' },
    ),
    files: Type.Array(Type.Object({ number: Type.Integer({ minimum: 1 }), ...File }), {
      description: 'What /exports/{id}/files/{number} gives now: of a split export also while it runs, as soon as each is whole.',
    }),
    manifest: nullable(Manifest),
    attempt: Type.Integer({ description: 'How many times a worker has begun it.' }),
  },
  { $id: 'Export', title: 'Export' },
)

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.Enum([...ERROR_CODES]),
    request_id: Type.String(),
    pointer: Type.Optional(
      Type.String({ description: 'JSON Pointer into the body, or the name of a query parameter or header.' }),
    ),
    allowed: Type.Optional(Type.Array(Type.String(), { description: 'What would have been accepted there.' })),
    export_status: Type.Optional(Type.String({ description: "The export's status, where that is the reason." })),
  },
  { $id: 'Problem', title: 'Problem' },
)

export const ExportRef = Type.Unsafe<unknown>({ $ref: 'Export#' })
export const ExportPage = Type.Object({
  data: Type.Array(ExportRef),
  next_cursor: nullableText({ description: 'Null on the last page.' }),
})

const EventSchema = Type.Object({
  seq: Type.Integer({ description: 'Grows; what Last-Event-ID takes.' }),
  type: Type.Enum([...EVENT_TYPES]),
  at: Type.String({ format: 'date-time' }),
  attempt: Type.Integer(),
  data: plainObject({ description: 'Small facts about the event.' }),
})
export const EventList = Type.Object({ data: Type.Array(EventSchema) })

const Expected = Type.Object({
  bytes: nullableInteger({ description: 'Before compression; null when it could not be sampled in time.' }),
  seconds: nullableNumber({ description: 'Of the run itself, without waiting in the queue.' }),
})

export const EstimateSchema = Type.Object({
  rows: nullableInteger({ description: 'Null when nothing could tell in time.' }),
  rows_is_estimate: Type.Boolean(),
  formats: Type.Object({ csv: Expected, json: Expected, ndjson: Expected, xlsx: Expected }),
  preview: nullable(
    Type.Object({
      format: Type.String(),
      resource: Type.String(),
      rows: Count,
      text: Type.String({
        description:
          'The first bytes of the file, before compression, exactly as they will be written; for xlsx the first rows as CSV.',
      }),
      fields: Type.Array(Type.Object({ name: Type.String(), type: Type.Enum([...CELL_TYPES]) })),
    }),
  ),
  warnings: Type.Array(
    Type.Object({
      code: Type.Enum(['CELLS_CHANGED', 'FORMULA_LIKE_CELLS', 'TOO_MANY_ROWS', 'PREVIEW_UNAVAILABLE']),
      message: Type.String(),
      column: nullableText({ description: 'The column meant, or null.' }),
    }),
  ),
})

const PublicFieldSchema = Type.Object({
  name: Type.String(),
  type: Type.Enum([...CELL_TYPES]),
  nullable: Type.Boolean(),
  mask: nullableText({ description: '`hash`, `partial` or `null`: what you get in place of its values; null for the values.' }),
})

export const ResourceList = Type.Object({
  data: Type.Array(
    Type.Object({
      name: Type.String(),
      fields: Type.Array(PublicFieldSchema),
      relations: Type.Array(Type.Object({ name: Type.String(), resource: Type.String(), kind: Type.Enum(['one', 'many']) })),
      primary_key: Type.Array(Type.String()),
      default_sort: Type.Array(Type.String()),
      max_rows: nullableInteger({ description: 'Null for no bound.' }),
      retention_seconds: Type.Integer({ description: 'How long a completed file is kept.' }),
    }),
  ),
})
