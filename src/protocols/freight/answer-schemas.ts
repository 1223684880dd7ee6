/** What Freight's own API answers, as JSON Schema: for `/openapi.json` alone, since answers are made by `view.ts`. */
import Type from 'typebox'
import { ERROR_CODES } from '../../job/errors.ts'
import { EVENT_TYPES } from '../../job/job.ts'
import { CELL_TYPES } from '../../job/row-text.ts'
import { MASK_NAMES } from '../../job/spec.ts'
import { ON_ROW_ERROR, OptionsBody, PartBody, part, STATUSES } from './request-schemas.ts'
import { nullable, nullableInteger, nullableNumber, nullableText, plainObject, time } from './schema-words.ts'

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
