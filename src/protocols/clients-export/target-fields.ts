/** The fields that the protocol knows, and by which names a resource has them unless the configuration says otherwise. */

const ADDRESSES = ['Registered', 'Postal', 'Invoice'] as const
const ADDRESS_PARTS = ['Line1', 'Line2', 'Line3', 'City', 'PostCode', 'Country'] as const

/** In the order of a file with every field. */
export const TARGET_FIELDS = [
  'Name',
  'Code',
  'Type',
  'Status',
  'Email',
  'Telephone',
  'InternalReference',
  'CanContactPost',
  'CanContactTelephone',
  'CanContactEmail',
  'CanContactSms',
  'PclSent',
  'Manager',
  'Partner',
  'Associate',
  'CompanyNumber',
  'CompaniesHouseAuthenticationCode',
  'VatNumber',
  'VatRegistered',
  'VatRegDate',
  'VatScheme',
  'VatReportingPeriod',
  'Utr',
  'SelfAssessmentUtr',
  'CompanyUtr',
  'NiNumber',
  'PayeRef',
  'AccountsOfficeRef',
  'TradingAs',
  'NatureOfBusiness',
  'IncorporationDate',
  'RegisteredAddress',
  'PostalAddress',
  'InvoiceAddress',
  ...ADDRESSES.flatMap((kind) => ADDRESS_PARTS.map((part) => `${kind}Address${part}` as const)),
  'ContactName',
  'ContactTitle',
  'ContactFirstName',
  'ContactMiddleName',
  'ContactLastName',
  'ContactEmail',
  'ContactPhone',
  'ContactMobile',
  'ContactDateOfBirth',
  'PersonalCode',
  'ContactRelationships',
  'Team',
  'Website',
  'ContactNationality',
  'ContactMaritalStatus',
] as const

export type TargetField = (typeof TARGET_FIELDS)[number]

/** `RegisteredAddressLine1` is `registered_address_line1`. */
export function usualName(target: TargetField): string {
  return target.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase()
}
