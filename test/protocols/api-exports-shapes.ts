/** What api-exports answers, as the vendor documents it: schemas of its documents that take nothing more and nothing else. */
import Type from 'typebox'
import { Value } from 'typebox/value'
import { expect } from 'vitest'
import { JSON_API, type WireAnswer } from './api-exports-site.ts'

const Id = Type.String({ pattern: '^[0-9A-Za-z]{10}$' })
const Instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' })
const OrNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Texts = Type.Array(Type.String())
const Whole = Type.Integer({ minimum: 0 })
export const strict = <T extends Type.TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false })
const Anything = Type.Record(Type.String(), Type.Unknown())
const Meta = strict({ mode: Type.Enum(['live', 'test']) })

const Attributes = strict({
  resource_type: Type.Enum(['orders', 'customers']),
  format: Type.Enum(['json', 'csv']),
  status: Type.Enum(['pending', 'in_progress', 'interrupted', 'completed', 'failed']),
  includes: Texts,
  fields: Texts,
  filters: Anything,
  dry_data: Type.Boolean(),
  jwt_filters: Type.Boolean(),
  started_at: OrNull(Instant),
  completed_at: OrNull(Instant),
  estimated_completion_at: OrNull(Instant),
  interrupted_at: OrNull(Instant),
  records_count: Whole,
  processed_count: Whole,
  progress: Type.Number({ minimum: 0, maximum: 100 }),
  attachment_url: OrNull(Type.String({ pattern: '^https://freight\\.example/downloads/' })),
  errors_log: Anything,
  created_at: Instant,
  updated_at: Instant,
  reference: OrNull(Type.String()),
  reference_origin: OrNull(Type.String()),
  metadata: Anything,
})

const relationship = (linked: boolean) =>
  strict({
    links: strict({ self: Type.String(), related: Type.String() }),
    ...(linked ? { data: Type.Array(strict({ type: Type.String(), id: Id })) } : {}),
  })

/** `linked`: the relationships that are included. */
export const Export = (linked: readonly string[] = []) =>
  strict({
    id: Id,
    type: Type.Literal('exports'),
    links: strict({ self: Type.String() }),
    attributes: Attributes,
    relationships: strict(
      Object.fromEntries(['events', 'versions', 'event_stores'].map((name) => [name, relationship(linked.includes(name))])),
    ),
    meta: Meta,
  })

const common = {
  created_at: Instant,
  updated_at: Instant,
  reference: Type.Null(),
  reference_origin: Type.Null(),
  metadata: strict({}),
}
const entry = (type: string, attributes: Type.TProperties) =>
  strict({ id: Id, type: Type.Literal(type), attributes: strict({ ...attributes, ...common }), meta: Meta })
export const Event = entry('events', { name: Type.String({ pattern: '^exports\\.[a-z]+$' }) })
const change = {
  resource_type: Type.Literal('exports'),
  resource_id: Id,
  event: Type.Enum(['create', 'update']),
  who: OrNull(Anything),
}
const Changes = Type.Record(Type.String(), Type.Tuple([Type.Unknown(), Type.Unknown()]))
export const Version = entry('versions', { ...change, changes: Changes })
export const EventStore = entry('event_stores', { ...change, payload: Changes })

export const page = { meta: strict({ record_count: Whole, page_count: Whole }) }
export const Links = strict({
  first: Type.String(),
  prev: Type.Optional(Type.String()),
  next: Type.Optional(Type.String()),
  last: Type.String(),
})

/** The answer is this and nothing more: names, types and enums, absent and null told apart. */
export function expectShape(answer: WireAnswer, status: number, schema: Type.TSchema): void {
  expect([answer.status, answer.headers['content-type']]).toEqual([status, JSON_API])
  expect([...Value.Errors(schema, answer.body)].map(({ instancePath, message }) => `${instancePath} ${message}`)).toEqual([])
}
