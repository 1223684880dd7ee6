/** The section of the configuration, held against what the resource has. */
import { describe, expect, it } from 'vitest'
import type { Tables } from '../../../test/protocol-site.ts'
import { CLIENTS, openClientsSite } from '../../../test/protocols/clients-export-site.ts'
import type { ClientsExportConfig } from './settings.ts'

describe('the section of clients-export', () => {
  const refusal = (section: Partial<ClientsExportConfig>, tables?: Tables) => expect(openClientsSite(section, tables)).rejects
  const { vat_number: _left, ...withoutVat } = CLIENTS

  it('is refused where it names what the resource does not have', async () => {
    await refusal({ fields: { VatNumber: 'vat_nubmer' } }).toThrow(
      'protocols.clients-export.fields.VatNumber: "clients" has no field "vat_nubmer". Did you mean "vat_number"?',
    )
    await refusal({ filters: { managerCode: 'manger_code' } }).toThrow('protocols.clients-export.filters.managerCode')
    await refusal({ filters: { serviceCodes: 'name' } }).toThrow('"name" must hold JSON')
    await refusal({ filters: { search: ['id'] } }).toThrow('protocols.clients-export.filters.search.0: "id" must hold text')
    await refusal(
      { mappings: { mine: { columns: [{ csvHeader: 'VAT', targetField: 'VatNumber' }] } } },
      { clients: withoutVat },
    ).toThrow('protocols.clients-export.mappings.mine: "clients" has no field for VatNumber')
    await refusal({ resource: 'orders' }).toThrow('"orders" has none of the fields that clients are exported with')
  })

  it('a field that the resource does not have is not offered, and left out of the presets', async () => {
    const less = await openClientsSite({ tenants: { acme: 'A-1' } }, { clients: withoutVat })
    const exports = '/tenants/A-1/clients/export/csv'
    try {
      const asked = { columnMappings: [{ csvHeader: 'VAT', targetField: 'VatNumber' }] }
      const refused = await less.ask(exports, { method: 'POST', body: asked })
      expect(refused).toMatchObject({
        status: 400,
        body: { message: 'columnMappings[0].targetField: VatNumber is not offered here.' },
      })
      await less.ask(exports, { method: 'POST', body: { mappingCode: 'limited-company-clients' } })
      expect((await less.stored())[0]?.request.parts[0]?.titles).not.toContain('VAT number')
      expect((await less.ask('/tenants/acme/clients/export/csv', { method: 'POST', body: {} })).status).toBe(404)
    } finally {
      await less.close()
    }
  })
})
