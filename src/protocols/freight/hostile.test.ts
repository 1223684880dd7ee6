import { expect } from 'vitest'
import { describeHostileWire } from '../../../test/contracts/hostile-wire.ts'
import { openProtocolSite } from '../../../test/protocol-site.ts'

const orders = (members: Record<string, unknown> = {}) => ({ resource: 'orders', ...members })

describeHostileWire('the own API', {
  open: () =>
    openProtocolSite({
      tables: {
        orders: { id: 'integer', tenant_id: 'text', status: 'text', created_at: 'timestamp' },
        nothing: { id: 'integer', tenant_id: 'text' },
      },
      protocols: () => [],
    }),
  create: { path: '/exports', body: orders() },
  read: (id) => `/exports/${id}`,
  // Every export that there is, whatever its resource.
  showsAll: true,
  namesResource: true,
  statuses: { invalid: 422, tooLarge: 413 },
  expectRefusal({ status, text }) {
    const body = JSON.parse(text)
    const names = ['type', 'title', 'status', 'detail', 'code', 'request_id']
    expect(Object.keys(body).slice(0, names.length)).toEqual(names)
    expect(Object.keys(body).filter((name) => ![...names, 'errors', 'allowed', 'pointer'].includes(name))).toEqual([])
    expect(body).toMatchObject({ status, code: expect.stringMatching(/^[A-Z_]+$/), detail: expect.stringMatching(/\S/) })
    expect(body.request_id).toMatch(/^[0-9a-f-]{36}$/)
  },
  readOnly: ['id', 'tenant', 'tenant_id', 'status', 'progress', 'created_at', 'attempt', 'storage_key', 'mode', 'manifest'],
  wrongBodies: [
    ['no resource', {}],
    ['a resource that is none', orders({ resource: 'users' })],
    ['a resource as a list', orders({ resource: ['orders'] })],
    ['fields as a text', orders({ fields: 'id' })],
    ['fields as an object', orders({ fields: { 0: 'id' } })],
    ['a field that is SQL', orders({ fields: ['id; drop table canary'] })],
    ['a field that every database has', orders({ fields: ['rowid'] })],
    ['10,000 fields', orders({ fields: Array.from({ length: 10_000 }, (_, n) => `f${n}`) })],
    ['includes of nothing', orders({ includes: ['customer'] })],
    ['filters as a list', orders({ filters: [] })],
    ['a filter of no predicate', orders({ filters: { status_regex: 'x' } })],
    ['a filter of the tenant', orders({ filters: { tenant_id_in: ['globex'] }, fields: ['tenant'] })],
    ['a filter that is an operator', orders({ filters: { status_eq: { $ne: null } } })],
    ['a filter of another type', orders({ filters: { id_eq: 'now()' } })],
    ['a day that there is not', orders({ filters: { created_at_gt: '2024-02-30' } })],
    ['a sort that is SQL', orders({ sort: ['id desc; drop'] })],
    ['a limit as a text', orders({ limit: '1' })],
    ['a limit of 0', orders({ limit: 0 })],
    ['a format as a list', orders({ format: ['csv'] })],
    ['a format of its own', orders({ format: 'exe' })],
    ['a flag as a text', orders({ dry_data: 'false' })],
    ['a delimiter that is a quote', orders({ options: { delimiter: '"' } })],
    ['a reference of 300 characters', orders({ reference: 'x'.repeat(300) })],
    ['metadata with 1,000 keys', orders({ metadata: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])) })],
    ['metadata as a list', orders({ metadata: [] })],
  ],
  plainBodies: [
    ['a reference like a path', orders({ reference: '../../etc/passwd' })],
    ['a reference like a formula', orders({ reference: "=cmd|' /C calc'!A0" })],
    ['a filter like SQL', orders({ filters: { status_eq: "' or 1=1--" } })],
    ['metadata with dangerous names', orders({ metadata: { constructor: { prototype: 1 } } })],
  ],
})
