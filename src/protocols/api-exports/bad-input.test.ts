/** What a body, an address or a query may not be, and what this protocol says about it. Whatever is refused leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiExportsSite, JSON_API, openApiExports, type WireAnswer } from '../../../test/protocols/api-exports-site.ts'

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const document = (attributes: string): string =>
  `{"data":{"type":"exports","attributes":{"resource_type":"orders",${attributes}}}}`
const orders = (members: Record<string, unknown>): Record<string, unknown> => ({ resource_type: 'orders', ...members })

/** The form of every error: nothing more, nothing else. */
function expectError(answer: WireAnswer, status: number, code: string, source?: Record<string, string>): void {
  expect([answer.status, answer.body?.errors?.[0]?.code]).toEqual([status, code])
  expect(answer.headers['content-type']).toBe(JSON_API)
  expect(Object.keys(answer.body)).toEqual(['errors'])
  const [error, ...more] = answer.body.errors
  expect(more).toEqual([])
  expect(error).toMatchObject({ status: String(status), title: expect.stringMatching(/\S/), detail: expect.stringMatching(/\S/) })
  expect(Object.keys(error).filter((name) => !['title', 'detail', 'code', 'status', 'source', 'meta'].includes(name))).toEqual([])
  if (source) expect(error.source).toEqual(source)
  // Clients read `meta.error` of a 422 unguarded.
  if (status === 422) expect(error.meta).toMatchObject({ error: expect.stringMatching(/^[a-z_]+$/) })
  expect(answer.text).not.toMatch(/node_modules|FST_|select |\n {4}at |\/tmp\//)
  expect(answer.text.length).toBeLessThan(20_000)
}

let site: ApiExportsSite
beforeAll(async () => {
  site = await openApiExports()
})
afterAll(async () => {
  const { body } = await site.get('/api/exports')
  await site.close()
  expect(body.meta.record_count).toBe(KEPT.length)
})

function idOf(shown: { readonly id: string } | undefined): string {
  if (!shown) throw new Error('the list shows fewer exports than the test needs')
  return shown.id
}

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

describe('addresses, pages and credentials (I)', () => {
  it('another id than one of the own exports is unknown, whatever it is: 404', async () => {
    const { data } = (await site.get('/api/exports?page[size]=1')).body
    const own = idOf(data[0])
    const ids = [
      'AAAAAAAAAA',
      own.slice(0, 9),
      `${own}x`,
      `${own}%00`,
      `%20${own}`,
      '0',
      '-1',
      '1e3',
      `${own};x=1`,
      'a'.repeat(5_000),
    ]
    for (const id of ids) {
      for (const suffix of ['', '/events', '/versions', '/event_stores', '/relationships/events']) {
        const answer = await site.get(`/api/exports/${id}${suffix}`)
        expectError(answer, 404, 'RECORD_NOT_FOUND')
        expect(answer.body.errors[0]).toMatchObject({
          title: 'Record not found',
          detail: 'The requested resource was not found. Please double-check the resource id.',
        })
      }
    }
    const strange = { authorization: `Bearer ${site.otherKey}` }
    const unknown = await site.get('/api/exports/AAAAAAAAAA', strange)
    for (const answer of [
      await site.get(`/api/exports/${own}`, strange),
      await site.call('DELETE', `/api/exports/${own}`, undefined, strange),
    ]) {
      expect([answer.status, answer.text]).toEqual([404, unknown.text])
    }
  })

  it.each([
    'page[size]=0',
    'page[size]=26',
    'page[size]=-1',
    'page[size]=1e1',
    'page[size]=abc',
    'page[size]=',
    'page[number]=0',
    'page[number]=99999999999999999999',
    'page[number]=1.5',
  ])('?%s: 400 INVALID_PAGE_VALUE', async (query) => {
    expectError(await site.get(`/api/exports?${query}`), 400, 'INVALID_PAGE_VALUE', { parameter: query.split('=')[0] ?? '' })
  })

  it.each([
    ['page[size]=1&page[size]=2', 'PARAM_NOT_ALLOWED'],
    ['page[limit]=1', 'PARAM_NOT_ALLOWED'],
    ['limit=1', 'PARAM_NOT_ALLOWED'],
    ['Page[size]=1', 'PARAM_NOT_ALLOWED'],
    ['__proto__=1', 'PARAM_NOT_ALLOWED'],
    ['api_key=x', 'PARAM_NOT_ALLOWED'],
    ['sort=nowhere', 'INVALID_SORT_CRITERIA'],
    ['sort=', 'INVALID_SORT_CRITERIA'],
    ['sort=--id', 'INVALID_SORT_CRITERIA'],
    ['sort=id%20desc;drop', 'INVALID_SORT_CRITERIA'],
    ['sort=metadata', 'INVALID_SORT_CRITERIA'],
    ['include=nowhere', 'INVALID_INCLUDE'],
    ['include=', 'INVALID_INCLUDE'],
    ['include=events.webhooks', 'INVALID_INCLUDE'],
    ['fields[exports]=nowhere', 'INVALID_FIELD'],
    ['fields[orders]=id', 'INVALID_FIELD'],
    ['fields[__proto__]=x', 'INVALID_FIELD'],
    ['filter[status]=x', 'FILTER_NOT_ALLOWED'],
    ['filter[q][status]=x', 'FILTER_NOT_ALLOWED'],
    ['filter[q][tenant_eq]=x', 'FILTER_NOT_ALLOWED'],
    ['filter[q][status_regex]=x', 'FILTER_NOT_ALLOWED'],
    ['filter[q][created_at_cont]=x', 'FILTER_NOT_ALLOWED'],
    ['filter[q][status_eq]=a&filter[q][status_eq]=b', 'PARAM_NOT_ALLOWED'],
    ['filter[q][created_at_gt]=2024-02-30', 'INVALID_FILTER_VALUE'],
    ['filter[q][created_at_gt]=now()', 'INVALID_FILTER_VALUE'],
    ['filter[q][records_count_eq]=1e3', 'INVALID_FILTER_VALUE'],
    ['filter[q][reference_null]=maybe', 'INVALID_FILTER_VALUE'],
    ['filter[q][reference_eq]=%00', 'INVALID_FILTER_VALUE'],
    ['filter[q][metadata_eq]={}', 'FILTER_NOT_ALLOWED'],
    ['filter[q][reference_jcont]={}', 'FILTER_NOT_ALLOWED'],
    ['filter[q][metadata_jcont]=x', 'INVALID_FILTER_VALUE'],
    ['filter[q][metadata_jcont]={"a":9007199254740993}', 'INVALID_FILTER_VALUE'],
    ['filter[q][metadata_jcont]={"a":"\\u0000"}', 'INVALID_FILTER_VALUE'],
    ['filter[q][metadata_jcont]={"a":"\\ud800"}', 'INVALID_FILTER_VALUE'],
    [`filter[q][metadata_jcont]=${'['.repeat(3_000)}${']'.repeat(3_000)}`, 'INVALID_FILTER_VALUE'],
  ])('?%s: 400 %s', async (query, code) => {
    expectError(await site.get(`/api/exports?${query}`), 400, code)
  })

  it.each(["' or 1=1--", "\\'", "';select pg_sleep(10)--", '$$', '\u02bc', '%', '_', '\\'])(
    'the filter value %s is plain data',
    async (value) => {
      for (const predicate of ['eq', 'start', 'matches', 'in']) {
        const answer = await site.get(`/api/exports?filter[q][reference_origin_${predicate}]=${encodeURIComponent(value)}`)
        expect([answer.status, answer.body.data]).toEqual([200, []])
      }
    },
  )

  it.each(['/api/exports/AAAAAAAAAA?page[size]=1', '/api/exports/AAAAAAAAAA/relationships/events?include=events'])(
    '%s takes no such parameter: 400',
    async (url) => expectError(await site.get(url), 400, url.includes('include') ? 'INVALID_INCLUDE' : 'PARAM_NOT_ALLOWED'),
  )

  it.each([
    ['', 'no credential'],
    ['Bearer', 'an empty one'],
    ['Basic YWNtZTph', 'another scheme'],
    ['Bearer frt_live_aaaaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'an unknown key'],
  ])('%s (%s): 401', async (authorization) => {
    const answer = await site.get('/api/exports', { authorization })
    expectError(answer, 401, 'UNAUTHORIZED')
    expect(answer.body.errors[0]).toMatchObject({
      title: 'Access denied',
      detail: 'You are not authorized to perform this action on the requested resource.',
    })
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
  })
})

describe('HTTP (H)', () => {
  it('a body of another media type: 415', async () => {
    const body = JSON.stringify({ data: { type: 'exports', attributes: orders({}) } })
    for (const type of [
      'application/json',
      'text/plain',
      'application/vnd.api+json; ext=x',
      'application/vnd.api+json; charset=utf-16',
    ]) {
      expectError(await site.call('POST', '/api/exports', body, { 'content-type': type }), 415, 'UNSUPPORTED_MEDIA_TYPE')
    }
    const gzip = { 'content-encoding': 'gzip' }
    expectError(await site.call('POST', '/api/exports', body, gzip), 415, 'UNSUPPORTED_MEDIA_TYPE')
  })

  it('a caller that accepts only something else: 406', async () => {
    for (const accept of ['image/png', 'application/json', '*/*;q=0']) {
      expectError(await site.get('/api/exports', { accept }), 406, 'NOT_ACCEPTABLE')
    }
    for (const accept of ['*/*', 'application/*', 'text/html, application/vnd.api+json;q=0.5']) {
      expect((await site.get('/api/exports', { accept })).status).toBe(200)
    }
  })

  it('another method: 405 with Allow, and no header overrides it', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
      const answer = await site.call(method, '/api/exports')
      expectError(answer, 405, 'METHOD_NOT_ALLOWED')
      expect(answer.headers.allow).toContain('POST')
    }
    const { data } = (await site.get('/api/exports?page[size]=1')).body
    await site.call('GET', `/api/exports/${idOf(data[0])}`, undefined, { 'x-http-method-override': 'DELETE' })
    expect((await site.get(`/api/exports/${idOf(data[0])}`)).status).toBe(200)
  })

  it('an unknown address below the exports: 404', async () => {
    for (const url of [
      '/api/exports/AAAAAAAAAA/nowhere',
      '/api/exports/AAAAAAAAAA/relationships/orders',
      '/api/exports/a/b/c/d',
    ]) {
      expectError(await site.get(url), 404, 'RECORD_NOT_FOUND')
    }
  })

  it('a body beyond the limit: 413, and an address beyond it: 414', async () => {
    expectError(
      await site.call('POST', '/api/exports', document(`"reference":"${'x'.repeat(1_100_000)}"`)),
      413,
      'PAYLOAD_TOO_LARGE',
    )
    expectError(await site.get(`/api/exports?sort=${'x'.repeat(9_000)}`), 414, 'URI_TOO_LONG')
  })

  it('a Host that someone made up is in no link', async () => {
    const { text } = await site.get('/api/exports', { host: 'evil.example', 'x-forwarded-host': 'evil.example' })
    expect(text).not.toContain('evil')
    expect(text).toContain('https://freight.example/api/exports')
  })

  it('DELETE takes a Content-Type and no body', async () => {
    const { body } = await site.create(orders({}))
    await site.update(body.data.id, { _interrupt: true })
    const gone = await site.call('DELETE', `/api/exports/${body.data.id}`)
    expect([gone.status, gone.text]).toEqual([204, ''])
  })
})
