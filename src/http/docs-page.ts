/** `/docs`: the OpenAPI document as one page of HTML, made on the server. No script, nothing from elsewhere. */
import { ERROR_CODES, FreightError } from '../job/errors.ts'
import { problemOf } from '../protocols/freight/errors.ts'
import { bodyTable, fieldTable, typeLabel } from './docs-schema.ts'
import { DOCS_STYLE } from './docs-style.ts'
import { type ApiSchema, escapeHtml, prose } from './docs-text.ts'

interface ApiParameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: ApiSchema
}

type Content = Readonly<Record<string, { readonly schema?: ApiSchema }>>

interface ApiOperation {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly security?: readonly unknown[]
  readonly parameters?: readonly ApiParameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

/** As much of OpenAPI 3.1 as the page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths?: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, ApiSchema>> }
}

interface Entry {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly operation: ApiOperation
}

export function docsPage(api: ApiDocument, publicUrl: string): string {
  const groups = Object.entries(Object.groupBy(entriesOf(api), ({ operation }) => operation.tags?.[0] ?? 'Operations'))
  const schemas = Object.entries(api.components?.schemas ?? {})
  const title = escapeHtml(api.info.title)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} API</title><style>${DOCS_STYLE}</style></head>
<body><div class="layout"><nav aria-label="Contents"><strong>${title}</strong>${groups.map(([tag, entries]) => navGroup(tag, entries ?? [])).join('')}
<ul><li><a href="#keys">Keys and tokens</a></li>${schemas.length > 0 ? '<li><a href="#schemas">Schemas</a></li>' : ''}<li><a href="#errors">Errors</a></li><li><a href="openapi.json">openapi.json</a></li></ul></nav>
<main><h1>${title}<small>${escapeHtml(api.info.version)}</small></h1>${prose(api.info.description)}${introduction(publicUrl)}
${groups.map(([tag, entries]) => `<h2>${escapeHtml(tag)}</h2>${(entries ?? []).map((entry) => operationSection(entry, publicUrl)).join('\n')}`).join('\n')}
${schemas.length > 0 ? `<h2 id="schemas">Schemas</h2>${schemas.map(([name, schema]) => schemaSection(name, schema)).join('\n')}` : ''}
${errorSection()}</main></div></body></html>`
}

function entriesOf(api: ApiDocument): Entry[] {
  return Object.entries(api.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: `${method}${path.replace(/[^A-Za-z0-9]+/g, '-')}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  )
}

function methodMark(method: string): string {
  return `<span class="method ${method.toLowerCase()}">${method}</span>`
}

function navGroup(tag: string, entries: readonly Entry[]): string {
  const links = entries.map(
    ({ id, method, path }) => `<li><a href="#${id}">${methodMark(method)}<span>${escapeHtml(path)}</span></a></li>`,
  )
  return `<h2>${escapeHtml(tag)}</h2><ul>${links.join('')}</ul>`
}

function introduction(publicUrl: string): string {
  const base = escapeHtml(publicUrl)
  return `<p>Every address begins with <code>${base}</code>. Bodies and answers are JSON in UTF-8; unknown fields and parameters are refused. Every answer carries
<code>X-Request-Id</code>. The examples below expect a key or token in the shell variable <code>FREIGHT_KEY</code>.</p>
<h2 id="keys">Keys and tokens</h2><p>Every request needs one of them. Whoever runs this server makes a key where it runs, and sees it once:</p>
<pre><code>freight keys create --tenant acme --name reports</code></pre>
<p>Send it as <code>Authorization: Bearer KEY</code>, as <code>x-api-key: KEY</code> or as <code>freight-api-key: KEY</code>: in one header, never in the address.
A client that expects OAuth 2.0 has a token for it (client credentials; form or JSON), which works until <code>expires_in</code> seconds have passed, or the key is revoked:</p>
<pre><code>${escapeHtml(tokenCommand(publicUrl))}</code></pre>
<p>The <code>access_token</code> of the answer is sent as <code>Authorization: Bearer TOKEN</code>, as are tokens (JWT) of the issuers that the configuration of this server names.
What a caller may do is said by scopes: <code>exports:read</code>, <code>exports:write</code>, <code>exports:download</code>.</p>`
}

function tokenCommand(publicUrl: string): string {
  return `curl '${publicUrl}/oauth/token' -d grant_type=client_credentials \\
  -d client_id="$(echo $FREIGHT_KEY | cut -d_ -f3)" -d client_secret="$FREIGHT_KEY"`
}

function operationSection({ id, method, path, operation }: Entry, publicUrl: string): string {
  const body = operation.requestBody?.content['application/json']?.schema
  const fields = body ? bodyTable(body) : ''
  return `<section class="operation" id="${id}"><h3>${methodMark(method)}<code>${escapeHtml(path)}</code></h3>
${operation.summary ? `<p class="summary">${escapeHtml(operation.summary)}</p>` : ''}${prose(operation.description)}
${parameterTable(operation.parameters ?? [])}${fields === '' ? '' : `<h4>Body</h4>${fields}`}
${answerTable(operation)}<h4>Example</h4><pre><code>${escapeHtml(curl(method, path, operation, publicUrl))}</code></pre></section>`
}

function parameterTable(parameters: readonly ApiParameter[]): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    ({ name, in: place, required, schema, description }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? ' <span class="required">required</span>' : ''}</td><td>${place}</td><td>${typeLabel(schema ?? {})}</td><td>${prose(description ?? schema?.description)}</td></tr>`,
  )
  return `<h4>Parameters</h4><table><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr>${rows.join('')}</table>`
}

function answerTable({ responses }: ApiOperation): string {
  const rows = Object.entries(responses ?? {}).map(([status, { description, content }]) => {
    const [type, media] = Object.entries(content ?? {})[0] ?? []
    const fields = media?.schema && !media.schema.$ref ? fieldTable(media.schema) : ''
    const shape = media?.schema ? `${typeLabel(media.schema)} <span class="dim">${escapeHtml(type ?? '')}</span>` : ''
    const members = fields === '' ? '' : `<details><summary>members</summary>${fields}</details>`
    return `<tr><td><code>${escapeHtml(status)}</code></td><td>${prose(description === 'Default Response' ? undefined : description)}${members}</td><td>${shape}</td></tr>`
  })
  return rows.length === 0 ? '' : `<h4>Answers</h4><table>${rows.join('')}</table>`
}

function schemaSection(name: string, schema: ApiSchema): string {
  return `<section class="operation" id="schema-${escapeHtml(name)}"><h3>${escapeHtml(name)}</h3>${prose(schema.description)}${fieldTable(schema)}</section>`
}

/** A command that works when pasted into a POSIX shell, but for the ids. */
function curl(method: string, path: string, operation: ApiOperation, publicUrl: string): string {
  const open = operation.security?.length === 0
  const schema = operation.requestBody?.content['application/json']?.schema
  const example = schema
    ? (schema.examples?.[0] ?? (schema.required || schema.maxProperties !== 0 ? exampleOf(schema) : undefined))
    : undefined
  return [
    `curl${method === 'GET' ? '' : ` -X ${method}`} '${publicUrl}${path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => name.toUpperCase())}'`,
    ...(open ? [] : [`  -H "Authorization: Bearer $FREIGHT_KEY"`]),
    ...(example === undefined
      ? []
      : [`  -H 'Content-Type: application/json'`, `  -d '${JSON.stringify(example).replaceAll("'", "'\\''")}'`]),
  ].join(' \\\n')
}

/** Where a schema names no example: its required members, else its first two that are plain. */
function exampleOf(schema: ApiSchema): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0]
  if (schema.enum?.[0] !== undefined) return schema.enum[0]
  const members = Object.entries(schema.properties ?? {})
  if (members.length > 0) {
    const plain = members.filter(([, { type, enum: closed }]) => type === 'string' || closed !== undefined).slice(0, 2)
    const chosen = schema.required ? members.filter(([name]) => schema.required?.includes(name)) : plain
    return Object.fromEntries(chosen.map(([name, member]) => [name, exampleOf(member)]))
  }
  if (schema.type === 'array') return []
  return schema.type === 'integer' || schema.type === 'number' ? 1 : '…'
}

function errorSection(): string {
  const rows = ERROR_CODES.map((code) => ({ code, status: problemOf(new FreightError(code, ''), '').status }))
    .sort((a, b) => a.status - b.status)
    .map(({ code, status }) => `<tr><td><code>${code}</code></td><td>${status}</td></tr>`)
  return `<h2 id="errors">Errors</h2><p>Errors are <code>application/problem+json</code> (RFC 9457). <code>code</code> is stable; <code>detail</code> says what was
wrong, where, and what to do; <code>pointer</code> names the place and <code>allowed</code> what would have been accepted there. An export that failed shows
one of these codes in its <code>error</code>.</p><table><tr><th>Code</th><th>Status</th></tr>${rows.join('')}</table>`
}
