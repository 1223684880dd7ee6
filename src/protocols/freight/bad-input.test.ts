/** What a body or query may not be, and what is said about it. Whatever is refused leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiSite, openApiSite } from '../../../test/freight-api.ts'

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const orders = (members: Record<string, unknown>): Record<string, unknown> => ({ resource: 'orders', ...members })
/** JSON with a member that an object literal cannot spell. */
const raw = (members: string): string => `{"resource":"orders",${members}}`

describe('bad input', () => {
  let api: ApiSite
  beforeAll(async () => {
    api = await openApiSite()
  })
  afterAll(() => api.close())

  it.each([
    ['nothing', ''],
    ['a truncated document', '{"resource":"orders"'],
    ['a trailing comma', '{"resource":"orders",}'],
    ['two documents', '{"resource":"orders"}{}'],
    ['a byte order mark', '\ufeff{"resource":"orders"}'],
    ['a key given twice', raw('"format":"csv","format":"json"')],
    ['100,000 levels', nested(100_000)],
    ['100,000 levels of filters', raw(`"filters":{"a":${nested(100_000)}}`)],
    ['a number in another notation', raw('"limit":0x10')],
    ['NaN', raw('"limit":NaN')],
  ])('%s is no JSON that is read: 400', async (_, body) => {
    expect(await api.post('/exports', body)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_JSON', detail: expect.stringMatching(/\d/) },
    })
  })

  it.each([
    ['null', 'null', undefined],
    ['a list', '[]', undefined],
    ['a text', '"x"', undefined],
    ['a number', '1', undefined],
    ['no resource', '{}', '/resource'],
    ['resource and parts', orders({ parts: [{ resource: 'orders' }] }), '/resource'],
    ['no parts', { parts: [] }, '/parts'],
    ['a part without a resource', { parts: [{}] }, '/parts/0/resource'],
    ['an unknown field', orders({ foo: 1 }), '/foo'],
    ['an unknown field in a part', { parts: [{ resource: 'orders', format: 'csv' }] }, '/parts/0/format'],
    ['a field in another case', orders({ Format: 'csv' }), '/Format'],
    ['a field with a blank', orders({ ' format': 'csv' }), '/ format'],
    ['a field with slash and tilde', orders({ 'a/b~c': 1 }), '/a~1b~0c'],
    ['split by nothing', orders({ split: {} }), '/split'],
    ['split by rows and bytes', orders({ split: { rows: 10, bytes: 4096 } }), '/split'],
    ['split by a word', orders({ split: 'rows' }), '/split'],
    ['files of no rows', orders({ split: { rows: 0 } }), '/split/rows'],
    ['files of half a row', orders({ split: { rows: 0.5 } }), '/split/rows'],
    ['files of ten bytes', orders({ split: { bytes: 10 } }), '/split/bytes'],
    ['split beside parts', { parts: [{ resource: 'orders' }], split: { rows: 10 } }, '/split'],
    ['parallel, which is not offered', orders({ parallel: 2 }), '/parallel'],
    ['a word for wrong rows that is none', orders({ on_row_error: 'ignore' }), '/on_row_error'],
    ['__proto__', raw('"__proto__":{"isAdmin":true}'), '/__proto__'],
    ['constructor', raw('"constructor":{"prototype":{"x":1}}'), '/constructor'],
    ['__proto__ in options', raw('"options":{"__proto__":{"x":1}}'), '/options/__proto__'],
    ['__proto__ as a filter', raw('"filters":{"__proto__":{"x":1}}'), '/filters/__proto__'],
    ['an unknown option', orders({ options: { encoding: 'utf-7' } }), '/options/encoding'],
    ['fields as a text', orders({ fields: 'id' }), '/fields'],
    ['fields as an object', orders({ fields: { 0: 'id' } }), '/fields'],
    ['a field that is a number', orders({ fields: [1] }), '/fields/0'],
    ['filters as a list', orders({ filters: [] }), '/filters'],
    ['format as a list', orders({ format: ['csv'] }), '/format'],
    ['a format that is not offered', orders({ format: 'dbf' }), '/format'],
    ['a compression that is not offered', orders({ compression: 'brotli' }), '/compression'],
    ['dry_data as a text', orders({ dry_data: 'false' }), '/dry_data'],
    ['dry_data as a number', orders({ dry_data: 1 }), '/dry_data'],
    ['header as a text', orders({ options: { header: 'true' } }), '/options/header'],
    ['a limit of 0', orders({ limit: 0 }), '/limit'],
    ['a limit below 0', orders({ limit: -1 }), '/limit'],
    ['a limit with a fraction', orders({ limit: 1.5 }), '/limit'],
    ['a limit as a text', orders({ limit: '10' }), '/limit'],
    ['a limit that no double holds', raw('"limit":9007199254740993'), '/limit'],
    ['a limit beyond every double', raw('"limit":1e400'), '/limit'],
    ['a reference as a number', orders({ reference: 1 }), '/reference'],
    ['a reference of 256 characters', orders({ reference: 'x'.repeat(256) }), '/reference'],
    ['an origin of 256 characters', orders({ reference_origin: 'x'.repeat(256) }), '/reference_origin'],
    ['NUL in a reference', raw('"reference":"a\\u0000b"'), '/reference'],
    ['half a surrogate pair in a reference', raw('"reference":"\\ud800"'), '/reference'],
    ['NUL in metadata', raw('"metadata":{"a":["\\u0000"]}'), '/metadata/a/0'],
    ['metadata as a list', orders({ metadata: [] }), '/metadata'],
    ['metadata of 51 keys', orders({ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [n, n])) }), '/metadata'],
    [
      'metadata of 30,000 keys',
      orders({ metadata: Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [n, n])) }),
      '/metadata',
    ],
    ['metadata of 50 levels', raw(`"metadata":{"a":${nested(50)}}`), '/metadata'],
    ['metadata of 17 KB', orders({ metadata: { a: 'x'.repeat(17_000) } }), '/metadata'],
    ['1,001 fields', orders({ fields: Array.from({ length: 1_001 }, () => 'id') }), '/fields'],
    ['a delimiter of two characters', orders({ options: { delimiter: 'ab' } }), '/options/delimiter'],
    ['a quote as delimiter', orders({ options: { delimiter: '"' } }), '/options/delimiter'],
    ['a line end as delimiter', orders({ options: { delimiter: '\n' } }), '/options/delimiter'],
    ['no delimiter', orders({ options: { delimiter: '' } }), '/options/delimiter'],
  ])('%s is refused with its place: 422', async (_, body, pointer) => {
    const answer = await api.post('/exports', body)
    expect(answer).toMatchObject({ status: 422, body: { status: 422, detail: expect.stringMatching(/\S.*[.?]$/s) } })
    expect(answer.body.pointer).toBe(pointer ?? answer.body.pointer)
    expect(answer.text).not.toMatch(/node_modules|Ajv|FST_|\n {4}at /)
  })

  it.each([
    'id',
    'tenant',
    'status',
    'progress',
    'created_at',
    'completed_at',
    'attempt',
    'mode',
    'manifest',
    'results',
    'queue_position',
    'storage_key',
    'attachment_url',
  ])('%s is set by Freight, and sending it is refused as that', async (name) => {
    const answer = await api.post('/exports', orders({ [name]: 'x' }))
    expect(answer).toMatchObject({
      status: 422,
      body: { pointer: `/${name}`, detail: `/${name} is set by Freight and cannot be sent.` },
    })
  })

  it('a misspelt field is answered with the right one, and with all there are', async () => {
    const { body } = await api.post('/exports', orders({ filtres: {} }))
    expect(body.detail).toContain('"filters"')
    expect(body.allowed).toEqual(expect.arrayContaining(['resource', 'parts', 'metadata']))
    expect(body.allowed).not.toContain('status')
  })

  it('a split is answered with the sizes that it takes, one of which it must have', async () => {
    const { body } = await api.post('/exports', orders({ split: { row: 10 } }))
    expect(body).toMatchObject({ detail: '/split/row is not known here. Did you mean "rows"?', allowed: ['rows', 'bytes'] })
    for (const split of [{}, { rows: 10, bytes: 4096 }]) {
      expect((await api.post('/exports', orders({ split }))).body.detail).toBe('/split takes one of: rows, bytes.')
    }
  })

  it('the same code names the same fault, whether a schema or the catalog found it', async () => {
    for (const [members, code] of [
      [{ format: 'dbf' }, 'FORMAT_UNKNOWN'],
      [{ compression: 'brotli' }, 'COMPRESSION_UNKNOWN'],
      [{ limit: 0 }, 'LIMIT_INVALID'],
      [{ options: { header: 1 } }, 'OPTION_INVALID'],
      [{ options: { delimiter: 'ab' } }, 'OPTION_INVALID'],
    ] as const) {
      expect((await api.post('/exports', orders(members))).body.code).toBe(code)
    }
  })

  it('a name of a megabyte is not sent back', async () => {
    const answer = await api.post('/exports', orders({ ['x'.repeat(900_000)]: 1 }))
    expect([answer.status, answer.text.length < 2_000]).toEqual([422, true])
  })

  it.each([
    'limit=0',
    'limit=-1',
    'limit=101',
    'limit=1e9',
    'limit=1e1',
    'limit=0x10',
    'limit=abc',
    'limit=',
    'limit=10.0',
    'limit[]=1&limit[]=2',
    'limit=10&limit=1000',
    'status=done',
    'status=Pending',
    'status=',
    'status=pending&status=failed',
    'page=2',
    'Limit=1',
    '__proto__=1',
    'cursor=',
    'cursor=abc',
    'cursor=0199a0b0-0000-7000-8000-000000000001.AAAAAAAAAAAAAAAAAAAAAA',
    `cursor=${'a'.repeat(7_000)}`,
  ])('the list refuses ?%s: 422', async (query) => {
    const answer = await api.get(`/exports?${query}`)
    const name = query.split(/=|%/)[0]
    expect(answer).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED', pointer: name } })
  })

  it.each(['/exports/x?y=1', '/resources?y=1', '/exports/x/events?y=1', '/exports/x/file?y=1'])(
    '%s takes no query parameters: 422',
    async (url) => {
      expect(await api.get(url)).toMatchObject({ status: 422, body: { pointer: 'y' } })
    },
  )

  it('text of every kind is kept and given back as it is', async () => {
    const texts = [
      "=cmd|' /C calc'!A0",
      '<script>alert(1)</script>',
      '../../x',
      '%s%n',
      '$' + '{jndi:ldap://x}',
      '\u202eabc',
      'a\nb\tc',
      '😀 e\u0301',
    ]
    for (const text of texts) {
      const { status, body } = await api.post('/exports', orders({ reference: text, metadata: { [text]: [text] } }))
      expect([status, body.reference, body.metadata]).toEqual([201, text, { [text]: [text] }])
      expect((await api.get(`/exports?reference=${encodeURIComponent(text)}`)).body.data).toHaveLength(1)
    }
  })

  it('names such as __proto__ in metadata are plain data', async () => {
    const { status, body, text } = await api.post(
      '/exports',
      raw('"metadata":{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}'),
    )
    expect(status).toBe(201)
    expect(text).toContain('"metadata":{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}')
    expect((await api.get(`/exports/${body.id}`)).text).toBe(text)
    expect('polluted' in {}).toBe(false)
  })

  it('nothing that was refused is stored', async () => {
    const { body } = await api.get('/exports?limit=100')
    expect(body.data).toHaveLength(9)
  })
})
