/** The text of a first freight.config.ts, from what a database says of itself. Pure. */
import type { inspectSource } from '../one-shot.ts'

export type Table = Awaited<ReturnType<typeof inspectSource>>[number]
type Column = Table['columns'][number]

/** Names under which tables keep whose row it is; the first that a table has is taken. */
const TENANT_COLUMNS = [
  'tenant_id',
  'tenant',
  'organization_id',
  'organisation_id',
  'org_id',
  'account_id',
  'company_id',
  'workspace_id',
  'team_id',
]
/** Columns that no export should hold, whatever the table is. */
const SECRET =
  /(^|_)(password|passwd|password_hash|password_digest|encrypted_password|secret|secret_key|api_key|private_key|token|access_token|refresh_token|reset_token|totp_secret|otp_secret|salt)$/i

export interface Draft {
  readonly text: string
  readonly resources: number
  /** Resources whose tenant must be filled in before the file is accepted. */
  readonly undecided: readonly string[]
}

export function draftConfig(tables: readonly Table[], sourceUrl: string): Draft {
  const names = resourceNames(tables)
  const undecided: string[] = []
  const blocks = tables.map((table, index) => {
    const name = names[index] ?? table.name
    const tenant = tenantColumn(table)
    if (tenant === null) undecided.push(name)
    return resourceBlock(table, name, tenant)
  })
  const text = `${HEAD}
export default {
  // Where the rows are; a path is relative to this file.
  source: ${sourceText(sourceUrl)},

  // What may be exported. A table that is not listed here is never offered: delete what nobody should export.
  resources: {
${blocks.join('\n')}
  },

  // Exports that run at once, how long finished files are kept, and how long a download link works. These are the defaults.
  // concurrency: 2,
  // retentionDays: 7,
  // linkMinutes: 5,
} satisfies FreightConfig
`
  return { text, resources: tables.length, undecided }
}

const HEAD = `/**
 * What Freight offers for export, and to whom. Written by "freight init"; yours to change.
 * Start the service with "freight serve", make a key with "freight keys create --tenant NAME --name NAME".
 */
import type { FreightConfig } from 'freight'
`

/** A password does not belong into a file that is kept with the code. */
function sourceText(url: string): string {
  const bare = URL.canParse(url) ? new URL(url) : null
  if (!bare?.password) return quote(url)
  bare.password = ''
  return `process.env.SOURCE_URL ?? ${quote(bare.href)}`
}

function resourceBlock(table: Table, name: string, tenant: string | null): string {
  const lines: string[] = []
  const own = table.schema === null ? table.name : `${table.schema}.${table.name}`
  if (name !== own) lines.push(`table: ${quote(own)},`)
  if (tenant === null) {
    lines.push('// Whose rows are these? No column of a known name says so. Name the column that holds the tenant, or write')
    lines.push("// 'shared' when every tenant may read every row. Until one of them stands here the config is refused.")
    lines.push(`// tenant: 'shared', // columns: ${commented(table.columns.map((column) => column.name).join(', '))}`)
  } else {
    lines.push(`tenant: ${quote(tenant)},`)
  }
  const secrets = table.columns.filter((column) => SECRET.test(column.name))
  if (secrets.length > 0) lines.push(`hide: [${secrets.map((column) => quote(column.name)).join(', ')}],`)
  const types = table.columns.flatMap((column) => {
    const type = secrets.includes(column) ? null : suggestedType(column)
    return type === null ? [] : [`${key(column.name)}: ${quote(type)}`]
  })
  if (types.length > 0)
    lines.push('// The database declares no such type; the names suggest one.', `types: { ${types.join(', ')} },`)
  const about = table.kind === 'view' ? '    // A view: check that it shows each tenant only its own rows.\n' : ''
  return `${about}    ${key(name)}: {\n${lines.map((line) => `      ${line}\n`).join('')}    },`
}

function tenantColumn(table: Table): string | null {
  const byName = new Map(table.columns.map((column) => [column.name.toLowerCase(), column.name]))
  for (const name of TENANT_COLUMNS) {
    const found = byName.get(name)
    if (found !== undefined) return found
  }
  return null
}

/** Only where the database says text or nothing, and a name leaves little doubt. */
function suggestedType({ name, type, declaredType }: Column): string | null {
  if (type !== 'text' && type !== 'any') return null
  if (/_at$/i.test(name)) return 'timestamp'
  if (/(_date|_on)$/i.test(name) || /^date$/i.test(name)) return 'date'
  if (declaredType === '' && /^(is|has)_/i.test(name)) return 'boolean'
  return null
}

/** A resource is called by its table's name where that is a plain word, else by one made from it; no two are the same. */
function resourceNames(tables: readonly Table[]): string[] {
  const taken = new Set<string>()
  return tables.map((table) => {
    const word = table.name.replace(/[^\p{L}\p{N}_-]+/gu, '_').replace(/^(?![\p{L}_])/u, '_')
    // Members that every object has cannot be names of the config.
    const base = word in {} ? `${word}_table` : word
    let name = base
    for (let number = 2; taken.has(name); number++) name = `${base}_${number}`
    taken.add(name)
    return name
  })
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)
}

function quote(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  // Line separators are no line ends for JSON.stringify; in a comment they would be (ECMA-262, LineTerminator).
  return `'${escaped.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`
}

/** Text that stays on its line. */
function commented(text: string): string {
  return text.replace(/[\r\n\u2028\u2029]/g, ' ')
}
