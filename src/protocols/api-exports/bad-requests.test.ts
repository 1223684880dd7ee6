/** What an address, a query, a credential or a header may not be, and what this protocol says about it. Whatever is refused leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { document, expectError, idOf } from '../../../test/protocols/api-exports-refusals.ts'
import { type ApiExportsSite, openApiExports } from '../../../test/protocols/api-exports-site.ts'

let site: ApiExportsSite
beforeAll(async () => {
  site = await openApiExports()
  await site.create({ resource_type: 'orders' })
})
afterAll(async () => {
  const { body } = await site.get('/api/exports')
  await site.close()
  expect(body.meta.record_count).toBe(1)
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
    const body = JSON.stringify({ data: { type: 'exports', attributes: { resource_type: 'orders' } } })
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
    const { body } = await site.create({ resource_type: 'orders' })
    await site.update(body.data.id, { _interrupt: true })
    const gone = await site.call('DELETE', `/api/exports/${body.data.id}`)
    expect([gone.status, gone.text]).toEqual([204, ''])
  })
})
