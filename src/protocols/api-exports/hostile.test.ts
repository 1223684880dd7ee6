import { expect } from 'vitest'
import { describeHostileWire } from '../../../test/contracts/hostile-wire.ts'
import { openProtocolSite } from '../../../test/protocol-site.ts'
import { MEDIA_TYPE } from './errors.ts'
import { apiExportsProtocol } from './protocol.ts'

const create = (attributes: Record<string, unknown>) => ({ data: { type: 'exports', attributes, relationships: {} } })

describeHostileWire('api-exports', {
  open: () =>
    openProtocolSite({
      tables: { orders: { id: 'integer', tenant_id: 'text', status: 'text' }, nothing: { id: 'integer', tenant_id: 'text' } },
      protocols: (site) => [apiExportsProtocol({ resources: { orders: 'orders' } }, site)],
    }),
  mediaType: MEDIA_TYPE,
  namesResource: true,
  create: { path: '/api/exports', body: create({ resource_type: 'orders' }) },
  read: (id) => `/api/exports/${id}`,
  // What is wrong with a value is 422, with its place: `bad-bodies.test.ts`.
  statuses: { invalid: 400, tooLarge: 413, unfit: 422 },
  expectRefusal({ status, text }) {
    const { errors, ...others } = JSON.parse(text)
    expect(others).toEqual({})
    expect(errors).toHaveLength(1)
    const [error] = errors
    expect(error).toMatchObject({
      status: String(status),
      code: expect.stringMatching(/^[A-Z_]+$/),
      title: expect.stringMatching(/\S/),
      detail: expect.stringMatching(/\S/),
    })
    expect(Object.keys(error).filter((name) => !['status', 'code', 'title', 'detail', 'source', 'meta'].includes(name))).toEqual(
      [],
    )
    if (status === 422) expect(error.meta).toMatchObject({ error: expect.stringMatching(/^[a-z_]+$/) })
  },
  readOnly: ['id', 'meta', 'links', 'included', 'status', 'attachment_url'],
  wrongBodies: [
    ['no attributes, but a list', { data: { type: 'exports', attributes: [] } }],
    ['attributes that are read-only', create({ resource_type: 'orders', status: 'completed' })],
    ['a client id', { data: { ...create({ resource_type: 'orders' }).data, id: 'AAAAAAAAAA' } }],
  ],
  plainBodies: [
    ['a reference like a path', create({ resource_type: 'orders', reference: '../../etc/passwd' })],
    ['a reference like a formula', create({ resource_type: 'orders', reference: "=cmd|' /C calc'!A0" })],
    ['a filter like SQL', create({ resource_type: 'orders', filters: { status_eq: "' or 1=1--" } })],
  ],
})
