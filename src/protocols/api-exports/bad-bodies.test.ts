/** What a body may not be, and what this protocol says about it. Whatever is refused leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { document, expectError, idOf, nested } from '../../../test/protocols/api-exports-refusals.ts'
import { type ApiExportsSite, openApiExports } from '../../../test/protocols/api-exports-site.ts'

const orders = (members: Record<string, unknown>): Record<string, unknown> => ({ resource_type: 'orders', ...members })

let site: ApiExportsSite
beforeAll(async () => {
  site = await openApiExports()
})
afterAll(async () => {
  const { body } = await site.get('/api/exports')
  await site.close()
  expect(body.meta.record_count).toBe(KEPT.length)
})

/** Text that is kept as it is; all that this file creates. */
const KEPT = [
  "=cmd|' /C calc'!A0",
  '<script>alert(1)</script>',
  '../../x',
  '%s%n',
  '$' + '{jndi:ldap://x}',
  '\u202eabc',
  'a\nb',
  '😀',
]

describe('bodies (J)', () => {
  it.each([
    ['a truncated document', '{"data":{"type":"exports"'],
    ['a trailing comma', '{"data":{},}'],
    ['two documents', '{"data":{}}{}'],
    ['a byte order mark', '\ufeff{"data":{}}'],
    ['a key given twice', document('"format":"csv","format":"json"')],
    ['100,000 levels', nested(100_000)],
    ['100,000 levels of filters', document(`"filters":{"a":${nested(100_000)}}`)],
    ['NaN', document('"format":NaN')],
  ])('%s is no JSON that is read: 400', async (_, body) => {
    expectError(await site.call('POST', '/api/exports', body), 400, 'BAD_REQUEST')
  })

  it.each<[string, unknown, string, string]>([
    ['nothing', '', 'PARAM_MISSING', ''],
    ['null', 'null', 'PARAM_MISSING', ''],
    ['a list', '[]', 'PARAM_MISSING', ''],
    ['a text', '"x"', 'PARAM_MISSING', ''],
    ['a number', '1', 'PARAM_MISSING', ''],
    ['no data', {}, 'PARAM_MISSING', ''],
    ['data as a list', { data: [] }, 'PARAM_MISSING', ''],
    ['another type', { data: { type: 'imports', attributes: {} } }, 'BAD_REQUEST', '/data/type'],
    ['no type', { data: { attributes: {} } }, 'BAD_REQUEST', '/data/type'],
    ['attributes as a list', { data: { type: 'exports', attributes: [] } }, 'BAD_REQUEST', '/data/attributes'],
    ['an id of its own', { data: { type: 'exports', id: 'AAAAAAAAAA', attributes: {} } }, 'PARAM_NOT_ALLOWED', '/data/id'],
    ['meta', { data: { type: 'exports', attributes: {}, meta: { mode: 'live' } } }, 'PARAM_NOT_ALLOWED', '/data/meta'],
    ['a member beside data', { data: { type: 'exports' }, included: [] }, 'PARAM_NOT_ALLOWED', '/included'],
    ['relationships as a list', { data: { type: 'exports', relationships: [] } }, 'BAD_REQUEST', '/data/relationships'],
    [
      'a relationship',
      { data: { type: 'exports', relationships: { events: {} } } },
      'PARAM_NOT_ALLOWED',
      '/data/relationships/events',
    ],
  ])('%s is no document of an export: 400', async (_, body, code, pointer) => {
    expectError(await site.call('POST', '/api/exports', body), 400, code, { pointer })
  })

  it.each([
    'foo',
    'Format',
    ' format',
    'status',
    'progress',
    'records_count',
    'attachment_url',
    'created_at',
    'id',
    'tenant_id',
    'storage_key',
    '_start',
    'constructor',
  ])('the attribute "%s" cannot be sent: 400', async (name) => {
    expectError(await site.create(orders({ [name]: 'x' })), 400, 'PARAM_NOT_ALLOWED', { pointer: `/data/attributes/${name}` })
  })

  it('names such as __proto__ are unknown, not dangerous: 400', async () => {
    const body = document('"__proto__":{"isAdmin":true}')
    expectError(await site.call('POST', '/api/exports', body), 400, 'PARAM_NOT_ALLOWED', {
      pointer: '/data/attributes/__proto__',
    })
    expect('isAdmin' in {}).toBe(false)
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['no resource_type', { resource_type: undefined }, 'resource_type'],
    ['an unknown resource_type', { resource_type: 'secrets' }, 'resource_type'],
    ['one that exists but is not served', { resource_type: 'messages' }, 'resource_type'],
    ['__proto__ as resource_type', { resource_type: '__proto__' }, 'resource_type'],
    ['a resource_type as a list', { resource_type: ['orders'] }, 'resource_type'],
    ['a format that is not offered', { format: 'xlsx' }, 'format'],
    ['a format as a list', { format: ['csv'] }, 'format'],
    ['fields as a text', { fields: 'id' }, 'fields'],
    ['fields as an object', { fields: { 0: 'id' } }, 'fields'],
    ['a field that is a number', { fields: ['id', 1] }, 'fields/1'],
    ['1,001 fields', { fields: Array.from({ length: 1_001 }, () => 'id') }, 'fields'],
    ['includes as a text', { includes: 'customer' }, 'includes'],
    ['filters as a list', { filters: [] }, 'filters'],
    ['filters as a text', { filters: 'x' }, 'filters'],
    ['dry_data as a text', { dry_data: 'false' }, 'dry_data'],
    ['dry_data as a number', { dry_data: 1 }, 'dry_data'],
    ['jwt_filters as a text', { jwt_filters: 'true' }, 'jwt_filters'],
    ['a reference as a number', { reference: 1 }, 'reference'],
    ['a reference of 256 characters', { reference: 'x'.repeat(256) }, 'reference'],
    ['an origin of 256 characters', { reference_origin: 'x'.repeat(256) }, 'reference_origin'],
    ['metadata as a list', { metadata: [] }, 'metadata'],
    ['metadata of 51 keys', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [n, n])) }, 'metadata'],
    ['metadata of 17 KB', { metadata: { a: 'x'.repeat(17_000) } }, 'metadata'],
    ['metadata of 50 levels', { metadata: { a: JSON.parse(nested(50)) } }, 'metadata'],
  ])('%s is refused with its place: 422', async (_, attributes, name) => {
    expectError(await site.create(orders(attributes)), 422, 'VALIDATION_ERROR', { pointer: `/data/attributes/${name}` })
  })

  it.each([
    ['NUL in a reference', '"reference":"a\\u0000b"', 'reference'],
    ['half a surrogate pair', '"reference":"\\ud800"', 'reference'],
    ['NUL deep in metadata', '"metadata":{"a":["\\u0000"]}', 'metadata/a/0'],
    ['a number that no double holds', '"metadata":{"a":9007199254740993}', 'metadata/a'],
    ['a number beyond every double', '"filters":{"total_cents_eq":1e400}', 'filters/total_cents_eq'],
  ])('%s is refused with its place: 422', async (_, attributes, name) => {
    const answer = await site.call('POST', '/api/exports', document(attributes))
    expectError(answer, 422, 'VALIDATION_ERROR', { pointer: `/data/attributes/${name}` })
  })

  it('text of every kind is kept and given back as it is', async () => {
    for (const text of KEPT) {
      const { status, body } = await site.create(orders({ reference: text, metadata: { [text]: [text] } }))
      expect([status, body.data.attributes.reference, body.data.attributes.metadata]).toEqual([201, text, { [text]: [text] }])
      const found = await site.get(`/api/exports?filter[q][reference_eq]=${encodeURIComponent(text)}`)
      expect(found.body.data).toHaveLength(1)
    }
  })
})

describe('verbs in a PATCH (J12)', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['both verbs', { _start: true, _interrupt: true }, '_start'],
    ['_start as a number', { _start: 1 }, '_start'],
    ['_interrupt as a text', { _interrupt: 'true' }, '_interrupt'],
    ['_start of a pending export', { _start: true }, '_start'],
  ])('%s: 422, and nothing changes', async (_, attributes, name) => {
    const { data } = (await site.get('/api/exports?page[size]=1')).body
    const answer = await site.update(idOf(data[0]), { reference: 'changed', ...attributes })
    expectError(answer, 422, 'VALIDATION_ERROR', { pointer: `/data/attributes/${name}` })
    expect((await site.get(`/api/exports/${idOf(data[0])}`)).body.data).toEqual(data[0])
  })

  it.each(['resource_type', 'format', 'filters', 'status', 'foo'])('%s cannot be changed: 400', async (name) => {
    const { data } = (await site.get('/api/exports?page[size]=1')).body
    expectError(await site.update(idOf(data[0]), { [name]: 'x' }), 400, 'PARAM_NOT_ALLOWED')
  })

  it('a document of another export, or of none: 400', async () => {
    const { data } = (await site.get('/api/exports?page[size]=2')).body
    const url = `/api/exports/${idOf(data[0])}`
    const patch = (id: unknown) => site.call('PATCH', url, { data: { type: 'exports', id, attributes: { reference: 'x' } } })
    const other = await patch(idOf(data[1]))
    expectError(other, 400, 'KEY_NOT_INCLUDED_IN_URL')
    expect(other.body.errors[0].title).toBe('Key is not included in URL')
    expectError(await patch(undefined), 400, 'PARAM_MISSING')
    expectError(await patch(1), 400, 'KEY_NOT_INCLUDED_IN_URL')
  })
})

describe('fields, includes and filters (F)', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ...[
      'id; drop table canary',
      'count(*)',
      'id::text',
      '1',
      'ctid',
      'rowid',
      'ID',
      'id\u200b',
      'tenant_id',
      'x'.repeat(64),
      '',
    ].map((field): [string, Record<string, unknown>, string] => [
      `the field ${JSON.stringify(field)}`,
      { fields: [field] },
      'fields/0',
    ]),
    ['an include that is no relation', { includes: ['nowhere'] }, 'includes/0'],
    ['an include of 50 steps', { includes: [Array.from({ length: 50 }, () => 'a').join('.')] }, 'includes/0'],
    ...['$where', 'status_regex', 'status', 'tenant_id_eq', 'nowhere_eq', 'password_hash_eq', 'status_or_nowhere_eq'].map(
      (key): [string, Record<string, unknown>, string] => [`the filter ${key}`, { filters: { [key]: 'x' } }, `filters/${key}`],
    ),
    ['an object as a value', { filters: { status_eq: { a: 1 } } }, 'filters/status_eq'],
    ['an operator as a value', { filters: { status_eq: { $ne: 1 } } }, 'filters/status_eq'],
    ['a list for one value', { filters: { status_eq: ['a'] } }, 'filters/status_eq'],
    ['null for a value', { filters: { total_cents_gt: null } }, 'filters/total_cents_gt'],
    ['text for a number', { filters: { total_cents_eq: 'x' } }, 'filters/total_cents_eq'],
    ['a number beyond 64 bits', { filters: { total_cents_eq: '9223372036854775808' } }, 'filters/total_cents_eq'],
    ['a word for an instant', { filters: { created_at_gt: 'now()' } }, 'filters/created_at_gt'],
    ['a day that is not', { filters: { created_at_gt: '2024-02-30' } }, 'filters/created_at_gt'],
    ['a flag that is none', { filters: { status_null: 'maybe' } }, 'filters/status_null'],
    ['text in a list of numbers', { filters: { total_cents_in: '1,x' } }, 'filters/total_cents_in/1'],
    ['201 filters', { filters: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`a${n}_eq`, 1])) }, 'filters'],
  ])('%s is refused with its place: 422', async (_, attributes, name) => {
    const pointer = `/data/attributes/${name}`
    expectError(await site.create(orders(attributes)), 422, 'VALIDATION_ERROR', { pointer })
  })

  it('__proto__ as a filter is refused: 422', async () => {
    const answer = await site.call('POST', '/api/exports', document('"filters":{"__proto__":{"x":1}}'))
    expectError(answer, 422, 'VALIDATION_ERROR', { pointer: '/data/attributes/filters/__proto__' })
  })
})
