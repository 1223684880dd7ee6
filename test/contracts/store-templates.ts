/** The part of the store's contract about what tenants save for later requests. */
import { expect, it } from 'vitest'
import type { Store, Template } from '../../src/store/store.ts'
import { at } from './sample-job.ts'

const place = { tenant: 'acme', kind: 'k' }
const actor = { by: 'key1', from: '203.0.113.7' }
const terms = { most: 3, actor }

function template(number: number): Template {
  const content = { list: [number, null, 'é"'], nested: { a: true } }
  return { id: `t${number}`, name: `Template ${number}`, content, createdAt: at(number), updatedAt: null }
}

export function describeTemplates(store: () => Store): void {
  it('templates are kept as they were saved, oldest first, each tenant and kind apart', async () => {
    for (const number of [2, 1]) expect(await store().addTemplate(place, template(number), terms)).toBe(true)
    const elsewhere = [
      { ...place, tenant: 'other' },
      { ...place, kind: 'another' },
    ]
    for (const other of elsewhere) await store().addTemplate(other, { ...template(1), name: 'theirs' }, terms)
    expect(await store().templates(place)).toEqual([template(1), template(2)])
    expect(await store().template(place, 't2')).toEqual(template(2))
    expect(await store().template(place, 't9')).toBeNull()
    for (const other of elsewhere) {
      expect((await store().templates(other)).map(({ name }) => name)).toEqual(['theirs'])
      expect(await store().template(other, 't2')).toBeNull()
    }
  })

  it('a template is changed whole and removed, by its own tenant only, and the audit tells of it', async () => {
    await store().addTemplate(place, template(1), terms)
    const done = { at: at(9), actor }
    const change = { name: 'new', content: {} }
    expect(await store().changeTemplate({ ...place, tenant: 'other' }, 't1', change, done)).toBeNull()
    expect(await store().removeTemplate({ ...place, kind: 'another' }, 't1', done)).toBe(false)
    const changed = { ...template(1), ...change, updatedAt: at(9) }
    expect(await store().changeTemplate(place, 't1', change, done)).toEqual(changed)
    expect(await store().templates(place)).toEqual([changed])
    expect(await store().removeTemplate(place, 't1', done)).toBe(true)
    expect(await store().removeTemplate(place, 't1', done)).toBe(false)
    expect(await store().templates(place)).toEqual([])
    const audit = await store().audit({ tenant: null, exportId: null, since: null, afterSeq: 0, limit: 9 })
    expect(audit.map(({ action, at: when, data }) => [action, when, data])).toEqual([
      ['template_saved', at(1), { kind: 'k', template: 't1' }],
      ['template_changed', at(9), { kind: 'k', template: 't1' }],
      ['template_removed', at(9), { kind: 'k', template: 't1' }],
    ])
  })

  it('of simultaneous calls no more templates are saved than there may be', async () => {
    const saved = await Promise.all([1, 2, 3, 4, 5].map((number) => store().addTemplate(place, template(number), terms)))
    expect(saved.filter(Boolean)).toHaveLength(3)
    expect(await store().templates(place)).toHaveLength(3)
    expect(await store().addTemplate({ ...place, tenant: 'other' }, template(1), terms)).toBe(true)
  })
}
