import { expect, it } from 'vitest'
import { describeHostileWire } from '../../../test/contracts/hostile-wire.ts'
import { openProtocolSite } from '../../../test/protocol-site.ts'
import { v1Exports } from './v1-exports.ts'

const span = { start_time: '2025-12-01T00:00:00Z', end_time: '2025-12-02T00:00:00Z' }
const MESSAGES = {
  id: 'text',
  tenant_id: 'text',
  status: 'text',
  direction: 'text',
  endpoint_id: 'text',
  inbound_endpoint_id: 'text',
  created_at: 'timestamp',
} as const

const times = [
  '2025-02-30T00:00:00Z',
  '2025-12-01T25:00:00Z',
  '2025-12-01T23:59:60Z',
  '2025-12-06T23:59:59.9999999999Z',
  '0000-01-01T00:00:00Z',
  '10000-01-01T00:00:00Z',
  '2025-12-01',
  '2025-12-01T00:00:00',
  'now()',
  'today',
  'infinity',
  "' or 1=1--",
  '',
]

describeHostileWire('v1-exports', {
  open: () =>
    openProtocolSite({
      tables: { messages: MESSAGES, nothing: { id: 'integer', tenant_id: 'text' } },
      protocols: (site) => [v1Exports({ resource: 'messages' }, site)],
    }),
  create: { path: '/v1/exports', body: span },
  read: (id) => `/v1/exports/${id}`,
  statuses: { invalid: 400, tooLarge: 400 },
  expectRefusal({ text }) {
    const body = JSON.parse(text)
    expect(Object.keys(body)).toEqual(['error', 'meta'])
    expect(body.error).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/\S/) })
    expect(Object.keys(body.error).filter((name) => !['code', 'message', 'details'].includes(name))).toEqual([])
    expect(body.meta).toEqual({ request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  },
  readOnly: [
    'id',
    'project_id',
    'row_count',
    'file_size_bytes',
    'expires_at',
    'created_at',
    'tenant_id',
    'storage_key',
    'attempt',
  ],
  wrongBodies: [
    ['no members', {}],
    ['no end', { start_time: span.start_time }],
    ['an end that is the start', { start_time: span.end_time, end_time: span.end_time }],
    [
      'an end before the start by a nanosecond',
      { start_time: '2025-12-01T00:00:00.000000001Z', end_time: '2025-12-01T00:00:00Z' },
    ],
    ...times.map((time) => [`the time ${time}`, { ...span, start_time: time }] as const),
    ['a time as a number', { ...span, end_time: 1_765_000_000 }],
    ['a time as a list', { ...span, end_time: [span.end_time] }],
    ['a status that is unknown', { ...span, status: 'completed' }],
    ['a status in another case', { ...span, status: 'Queued' }],
    ['a status as a list', { ...span, status: ['queued'] }],
    ['a status that is a prototype', { ...span, status: 'constructor' }],
    ['an endpoint without its prefix', { ...span, endpoint_id: '550e8400-e29b-41d4-a716-446655440000' }],
    ['an endpoint of another length', { ...span, endpoint_id: 'ep_550e8400' }],
    ['an endpoint that is SQL', { ...span, endpoint_id: "ep_' or 1=1--" }],
    ['an endpoint with a line break', { ...span, endpoint_id: `ep_${'a'.repeat(32)}\n` }],
    ['an endpoint of an inbound export', { ...span, direction: 'inbound', endpoint_id: `ep_${'a'.repeat(32)}` }],
    ['an inbound endpoint of an outbound export', { ...span, inbound_endpoint_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301' }],
    ['an inbound endpoint that is no UUID', { ...span, direction: 'inbound', inbound_endpoint_id: 'x' }],
    ['a direction that is unknown', { ...span, direction: 'sideways' }],
    ['a direction as a number', { ...span, direction: 1 }],
    ['filters of another protocol', { ...span, filters: { password_hash_eq: 'x' } }],
  ],
})

it('says 403 to a key that may not have a column that is exported here', async () => {
  const site = await openProtocolSite({
    tables: { messages: MESSAGES },
    resources: { messages: { fieldScopes: { endpoint_id: 'pii:read' } } },
    protocols: (mount) => [v1Exports({ resource: 'messages', columns: ['id', 'endpoint_id'] }, mount)],
  })
  const { status, body } = await site.ask('/v1/exports', { method: 'POST', body: span })
  expect([status, body.error.code]).toEqual([403, 'FORBIDDEN'])
  expect(JSON.stringify(body)).not.toContain('endpoint_id')
  await site.close()
})
