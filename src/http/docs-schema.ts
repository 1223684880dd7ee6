/** JSON Schemas as tables of members. */
import { type ApiSchema, escapeHtml, prose } from './docs-text.ts'

const MAX_DEPTH = 3

/** One line per member, those of inner objects indented below it; empty for a schema without members. */
export function fieldTable(schema: ApiSchema): string {
  return tableOf(memberRows(schema, [], 0))
}

/** The same for what a caller sends: says which members have to be there. */
export function bodyTable(schema: ApiSchema): string {
  return tableOf(memberRows(schema, schema.required ?? [], 0))
}

function tableOf(rows: string): string {
  return rows === '' ? '' : `<table>${rows}</table>`
}

function memberRows(schema: ApiSchema, required: readonly string[], depth: number): string {
  return Object.entries(objectOf(schema).properties ?? {})
    .map(([name, member]) => {
      const mark = required.includes(name) ? ' <span class="required">required</span>' : ''
      const row = `<tr class="deep${depth}"><td><code>${escapeHtml(name)}</code>${mark}</td><td>${typeLabel(member)}</td><td>${prose(member.description)}</td></tr>`
      return depth < MAX_DEPTH ? row + memberRows(member, [], depth + 1) : row
    })
    .join('')
}

/** The object whose members a reader wants to see: the schema itself, its element, or its only choice beside null. */
function objectOf(schema: ApiSchema): ApiSchema {
  if (schema.properties) return schema
  if (schema.items) return objectOf(schema.items)
  const choices = (schema.anyOf ?? []).filter(({ type }) => type !== 'null')
  return choices.length === 1 && choices[0] ? objectOf(choices[0]) : schema
}

/** `string (uuid)`, `integer or null`, `csv, json or ndjson`, `array of Export`. */
export function typeLabel(schema: ApiSchema): string {
  if (schema.$ref !== undefined) {
    const name = escapeHtml(schema.$ref.split('/').at(-1) ?? '')
    return `<a href="#schema-${name}">${name}</a>`
  }
  if (schema.anyOf) return schema.anyOf.map(typeLabel).join(' or ')
  if (schema.enum) return schema.enum.map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(' ')
  if (schema.items) return `array of ${typeLabel(schema.items)}`
  const type = [schema.type ?? 'any'].flat().join(' or ')
  const notes = [
    schema.format,
    bounds(schema),
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ]
  const said = notes.filter((note) => note !== undefined)
  return escapeHtml(said.length > 0 ? `${type} (${said.join(', ')})` : type)
}

function bounds({ minimum, maximum, maxLength }: ApiSchema): string | undefined {
  const upper = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  if (minimum !== undefined && upper !== undefined) return `${minimum} to ${upper}`
  if (minimum !== undefined) return `at least ${minimum}`
  if (upper !== undefined) return `at most ${upper}`
  return maxLength === undefined ? undefined : `at most ${maxLength} characters`
}
