import { describe, expect, it } from 'vitest'
import { findField, requireField } from './resource-fields.ts'

const field = (name: string) => ({ name, type: 'text' as const, nullable: true })
const resource = { primaryKey: [], defaultSort: [], maxRows: null, retentionMs: 1 }
const RESOURCES = [
  {
    ...resource,
    name: 'orders',
    fields: [field('id')],
    relations: [{ name: 'customer', resource: 'customers', kind: 'one' as const }],
  },
  { ...resource, name: 'customers', fields: [field('email')], relations: [] },
]

describe('a field that a section names', () => {
  it('is found on the resource or through its relations', () => {
    expect(findField(RESOURCES, 'orders', 'id')?.name).toBe('id')
    expect(findField(RESOURCES, 'orders', 'customer.email')?.name).toBe('email')
    for (const path of ['email', 'customer', 'customer.id', 'customer.email.x', ''])
      expect(findField(RESOURCES, 'orders', path)).toBeNull()
  })

  it('stops the start where the resource does not have it', () => {
    expect(() => requireField(RESOURCES, 'customers', 'emial', 'protocols.x.fields.email')).toThrow(
      'protocols.x.fields.email: "customers" has no field "emial". Did you mean "email"?',
    )
  })
})
