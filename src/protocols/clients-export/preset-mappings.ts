/** The mappings that every tenant has. Their codes are the product's own; which columns they hold is not public, so these are Freight's. */
import type { ColumnMapping } from './column-mapping.ts'
import type { TargetField } from './target-fields.ts'

const column = (csvHeader: string, targetField: TargetField): ColumnMapping => ({ csvHeader, targetField })

const EVERYONE = [
  column('Client code', 'Code'),
  column('Client name', 'Name'),
  column('Client type', 'Type'),
  column('Status', 'Status'),
  column('Email', 'Email'),
  column('Telephone', 'Telephone'),
  column('Manager', 'Manager'),
  column('Partner', 'Partner'),
  column('Associate', 'Associate'),
]

interface PresetMapping {
  readonly name: string
  readonly columns: readonly ColumnMapping[]
}

export const PRESET_MAPPINGS: Readonly<Record<string, PresetMapping>> = {
  'limited-company-clients': {
    name: 'Limited company clients',
    columns: [
      ...EVERYONE,
      column('Company number', 'CompanyNumber'),
      column('Authentication code', 'CompaniesHouseAuthenticationCode'),
      column('Incorporation date', 'IncorporationDate'),
      column('Trading as', 'TradingAs'),
      column('Nature of business', 'NatureOfBusiness'),
      column('Company UTR', 'CompanyUtr'),
      column('VAT registered', 'VatRegistered'),
      column('VAT number', 'VatNumber'),
      column('PAYE reference', 'PayeRef'),
      column('Accounts office reference', 'AccountsOfficeRef'),
      column('Registered address', 'RegisteredAddress'),
      column('Contact name', 'ContactName'),
      column('Contact email', 'ContactEmail'),
      column('Contact phone', 'ContactPhone'),
    ],
  },
  'individual-clients': {
    name: 'Individual clients',
    columns: [
      ...EVERYONE,
      column('Title', 'ContactTitle'),
      column('First name', 'ContactFirstName'),
      column('Middle name', 'ContactMiddleName'),
      column('Last name', 'ContactLastName'),
      column('Date of birth', 'ContactDateOfBirth'),
      column('Mobile', 'ContactMobile'),
      column('National insurance number', 'NiNumber'),
      column('Self assessment UTR', 'SelfAssessmentUtr'),
      column('Postal address', 'PostalAddress'),
      column('Nationality', 'ContactNationality'),
      column('Marital status', 'ContactMaritalStatus'),
    ],
  },
}
