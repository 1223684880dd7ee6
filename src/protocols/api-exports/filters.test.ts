import { describe, expect, it } from 'vitest'
import { cpuMs } from '../../../test/cpu-time.ts'
import { type OfferedResource, readFilters } from './filters.ts'

function resource(name: string, fields: Record<string, string>, relations: Record<string, string> = {}): OfferedResource {
  return {
    name,
    fields: Object.entries(fields).map(([field, type]) => ({ name: field, type: type as 'text', nullable: true })),
    relations: Object.entries(relations).map(([relation, target]) => ({
      name: relation,
      resource: target,
      kind: 'one' as const,
    })),
    primaryKey: ['id'],
    defaultSort: [],
    maxRows: null,
    retentionMs: 1,
  }
}

const orders = resource(
  'orders',
  {
    id: 'integer',
    customer_id: 'integer',
    status: 'text',
    paid: 'boolean',
    created: 'text',
    created_at: 'timestamp',
    metadata: 'json',
  },
  { customer: 'customers', line_items: 'line_items' },
)
const customers = resource('customers', { id: 'integer', email: 'text', vip: 'boolean' }, { group: 'groups' })
const groups = resource('groups', { name: 'text' })
const lineItems = resource('line_items', { quantity: 'integer' }, { order: 'orders' })
const read = (filters: Record<string, unknown>) => ({
  ...readFilters(filters, orders, [orders, customers, groups, lineItems]).filters,
})

describe('filters of api-exports', () => {
  it.each([
    ['customer_email_eq', 'customer.email_eq'],
    ['customer_group_name_cont', 'customer.group.name_cont'],
    ['line_items_quantity_gt', 'line_items.quantity_gt'],
    // The resource's own column, not the column `id` of the customer.
    ['customer_id_eq', 'customer_id_eq'],
    ['customer_email_or_status_start', 'customer.email_or_status_start'],
    ['status_or_customer_group_name_eq_or_null', 'status_or_customer.group.name_eq_or_null'],
    ['created_at_gt', 'created_at_gt'],
    ['created_null', 'created_null'],
  ])('%s is %s', (sent, spelt) => {
    expect(Object.keys(read({ [sent]: true }))).toEqual([spelt])
  })

  it.each(['nowhere_eq', 'status', 'status_regex', 'customer_eq', 'customer_email', '__proto__', 'a'.repeat(5_000)])(
    '%s cannot be read and stays as it is, for the catalog to refuse',
    (key) => {
      const filters = JSON.parse(`{${JSON.stringify(key)}:"x"}`)
      expect(Object.entries(read(filters))).toEqual([[key, 'x']])
    },
  )

  it('text with commas is a list where one is taken, and stays text where none is', () => {
    expect(
      read({ status_in: 'a,b', id_in: '1,2', status_not_in: '', status_cont_any: 'x', status_eq: 'a,b', id_lt_all: 5 }),
    ).toEqual({
      status_in: ['a', 'b'],
      id_in: ['1', '2'],
      status_not_in: [],
      status_cont_any: ['x'],
      status_eq: 'a,b',
      id_lt_all: [5],
    })
    expect(read({ status_in: ['a,b'] })).toEqual({ status_in: ['a,b'] })
  })

  it('yes and no may be text where they are meant, and documents too', () => {
    expect(
      read({ status_null: 'true', status_present: '0', paid_true: 1, paid_eq: 'false', customer_vip_in: 'true,false' }),
    ).toEqual({
      status_null: true,
      status_present: false,
      paid_true: true,
      paid_eq: false,
      'customer.vip_in': [true, false],
    })
    expect(read({ status_eq: 'true', metadata_jcont: '{"a":1}' })).toEqual({ status_eq: 'true', metadata_jcont: { a: 1 } })
    expect(read({ status_null: 'maybe', metadata_jcont: '{' })).toEqual({ status_null: 'maybe', metadata_jcont: '{' })
  })

  it('two spellings of one filter are refused: one would be ignored', () => {
    expect(() => read({ customer_email_eq: 'a', 'customer.email_eq': 'b' })).toThrow(
      expect.objectContaining({
        wire: expect.objectContaining({ source: { pointer: '/data/attributes/filters/customer.email_eq' } }),
      }),
    )
  })

  it('a key of a thousand repetitions is read in no time', () => {
    const begun = cpuMs()
    read({ [`${'status_or_'.repeat(90)}x`]: 1, [`${'created_at_or_'.repeat(60)}_eq`]: 1 })
    expect(cpuMs() - begun).toBeLessThan(200)
  })
})
