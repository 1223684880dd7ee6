/** An accounting practice's clients, with every field that a client export of such a practice names. */
import { createRandom, date, type Random, timestamp } from './random.ts'
import { sparse } from './shop-data.ts'
import { ACME_SHARE, type Cell, DAY_MS, LAST_DAY_MS, type SampleSubject } from './tables.ts'
import { CITIES, COMPANIES, FIRST_NAMES, LAST_NAMES, STREETS } from './words.ts'

const COMPANY_TYPES = [
  'PrivateLimitedCompany',
  'PublicLimitedCompany',
  'LimitedLiabilityPartnership',
  'Partnership',
  'Trust',
  'Charity',
] as const
const PERSON_TYPES = ['Individual', 'SoleTrader'] as const
const STATUSES = ['Active', 'Active', 'Active', 'Inactive', 'Prospect', 'LostProspect'] as const
const STAFF = [
  ['MGR01', 'Helen Ward'],
  ['MGR02', 'Piotr Zając'],
  ['PTR01', 'Sir John "Jack" Bell'],
  ['PTR02', 'Aoife Ní Bhriain'],
  ['ASC01', 'Tom Li, ACA'],
  ['ASC02', 'Layla حداد'],
] as const
const ADDRESS_COLUMNS = ['line1', 'line2', 'line3', 'city', 'post_code', 'country']

function addressColumns(kind: string): string {
  return [`${kind}_address TEXT`, ...ADDRESS_COLUMNS.map((part) => `${kind}_address_${part} TEXT`)].join(', ')
}

/** The whole address on several lines, then its parts. */
function address(random: Random): Cell[] {
  if (random.chance(0.25)) return ['', null, null, null, null, null, null]
  const [country, city, postcode] = random.pick(CITIES)
  const line1 = `${random.between(1, 240)} ${random.pick(STREETS)}`
  const line2 = sparse(random, () => `Floor ${random.between(1, 9)}, Suite "${random.pick(['A', 'B', 'C'])}"`, 0.5)
  const whole = [line1, line2, city, postcode, country].filter(Boolean).join('\n')
  return [whole, line1, line2, '', city, postcode, country]
}

export const practiceData: SampleSubject = {
  tables: [
    {
      name: 'clients',
      columns: `id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
        email TEXT, telephone TEXT, internal_reference TEXT, can_contact_post BOOLEAN, can_contact_telephone BOOLEAN, can_contact_email BOOLEAN,
        can_contact_sms BOOLEAN, pcl_sent BOOLEAN, manager TEXT, manager_code TEXT, partner TEXT, partner_code TEXT, associate TEXT,
        associate_code TEXT, service_codes JSON, company_number TEXT, companies_house_authentication_code TEXT, vat_number TEXT,
        vat_registered BOOLEAN, vat_reg_date DATE, vat_scheme TEXT, vat_reporting_period TEXT, utr TEXT, self_assessment_utr TEXT,
        company_utr TEXT, ni_number TEXT, paye_ref TEXT, accounts_office_ref TEXT, trading_as TEXT, nature_of_business TEXT,
        incorporation_date DATE, ${addressColumns('registered')}, ${addressColumns('postal')}, ${addressColumns('invoice')}, contact_name TEXT,
        contact_title TEXT, contact_first_name TEXT, contact_middle_name TEXT, contact_last_name TEXT, contact_email TEXT, contact_phone TEXT,
        contact_mobile TEXT, contact_date_of_birth DATE, personal_code TEXT, contact_relationships JSON, team TEXT, website TEXT,
        contact_nationality TEXT, contact_marital_status TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (tenant_id, code)`,
      indexes: ['tenant_id, status'],
    },
  ],
  fill(counts, insert) {
    const random = createRandom('clients')
    for (let id = 1; id <= counts.clients; id++) {
      const tenant = random.chance(ACME_SHARE) ? 'acme' : 'globex'
      const first = random.pick(FIRST_NAMES)
      const last = random.pick(LAST_NAMES)
      const isCompany = random.chance(0.6)
      const createdMs = LAST_DAY_MS - random.between(1, 2_500 * DAY_MS)
      insert('clients', [
        id,
        tenant,
        `CL${String(id).padStart(6, '0')}`,
        isCompany ? `${random.pick(COMPANIES)} (${id})` : `${first} ${last}`,
        isCompany ? random.pick(COMPANY_TYPES) : random.pick(PERSON_TYPES),
        random.pick(STATUSES),
        sparse(random, () => `client${id}@example.co.uk`, 0.05),
        sparse(random, () => `+44 ${random.digits(4)} ${random.digits(6)}`, 0.1),
        sparse(random, () => `00${random.digits(4)}/${random.between(1, 9)}E${random.between(1, 9)}`, 0.3),
        ...business(random, isCompany),
        ...address(random),
        ...address(random),
        ...address(random),
        ...contact(random, { id, first, last }),
        timestamp(createdMs, random.between(0, 999)),
        timestamp(Math.min(LAST_DAY_MS, createdMs + random.between(0, 300 * DAY_MS)), random.between(0, 999)),
      ])
    }
  },
}

function flag(random: Random): Cell {
  return random.chance(0.1) ? null : random.chance(0.6) ? 1 : 0
}

/** From can_contact_post to incorporation_date. */
function business(random: Random, isCompany: boolean): Cell[] {
  const staff = [STAFF.slice(0, 2), STAFF.slice(2, 4), STAFF.slice(4)].flatMap((some): Cell[] => {
    if (random.chance(0.15)) return [null, null]
    const [code, name] = random.pick(some)
    return [name, code]
  })
  const registered = random.chance(0.5)
  const utr = random.chance(0.8) ? random.digits(10) : null
  return [
    flag(random),
    flag(random),
    flag(random),
    flag(random),
    flag(random),
    ...staff,
    random.chance(0.2) ? null : JSON.stringify(['ACC', 'VAT', 'PAY', 'SA'].filter(() => random.chance(0.5))),
    isCompany ? `0${random.digits(7)}` : null,
    isCompany && random.chance(0.7) ? random.digits(6) : null,
    registered ? `GB${random.digits(9)}` : '',
    registered ? 1 : 0,
    registered ? date(LAST_DAY_MS - random.between(100, 6_000) * DAY_MS) : null,
    registered ? random.pick(['Standard', 'Flat Rate', 'Cash', 'Annual']) : null,
    registered ? random.pick(['Monthly', 'Quarterly', 'Annually']) : null,
    utr,
    isCompany ? null : utr,
    isCompany ? utr : null,
    isCompany ? null : `QQ${random.digits(6)}C`,
    sparse(random, () => `${random.digits(3)}/AB${random.digits(3)}`, 0.5),
    sparse(random, () => `${random.digits(3)}PA${random.digits(8)}`, 0.5),
    sparse(random, () => random.pick(COMPANIES), 0.6),
    sparse(random, () => random.pick(['Retail; wholesale', 'Bakery & café', 'Software, consulting', 'Farming', '=other']), 0.2),
    isCompany ? date(LAST_DAY_MS - random.between(100, 12_000) * DAY_MS) : null,
  ]
}

/** From contact_name to contact_marital_status. */
function contact(random: Random, { id, first, last }: { id: number; first: string; last: string }): Cell[] {
  return [
    `${first} ${last}`,
    sparse(random, () => random.pick(['Mr', 'Ms', 'Dr', 'Prof.']), 0.2),
    first,
    sparse(random, () => random.pick(FIRST_NAMES), 0.7),
    last,
    sparse(random, () => `contact${id}@example.com`, 0.1),
    sparse(random, () => `+44${random.digits(10)}`, 0.3),
    sparse(random, () => `07${random.digits(9)}`, 0.3),
    random.chance(0.2) ? null : date(Date.UTC(random.between(1940, 2004), random.between(0, 11), random.between(1, 28))),
    sparse(random, () => random.digits(8), 0.5),
    random.chance(0.7)
      ? null
      : `[{"kind":"${random.pick(['Director', 'Spouse', 'Shareholder'])}","name":"${random.pick(FIRST_NAMES)}"}]`,
    sparse(random, () => random.pick(['Team A', 'Team B, night', 'Team "C"']), 0.2),
    sparse(random, () => `https://client${id}.example.com/?a=1&b=2`, 0.4),
    sparse(random, () => random.pick(['British', 'Irish', 'Polish', 'مصري']), 0.3),
    sparse(random, () => random.pick(['Single', 'Married', 'Divorced', 'Widowed']), 0.4),
  ]
}
