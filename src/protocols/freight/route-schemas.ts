/** What each route takes and answers, for validation and for `/openapi.json`. */
import type { FastifySchema } from 'fastify'
import type { TSchema } from 'typebox'
import { EstimateSchema, EventList, ExportPage, ExportRef, ResourceList } from './answer-schemas.ts'
import { ExportBody, ExportParams, FileParams, ListQuery, NoQuery } from './request-schemas.ts'

const problem = {
  description: 'What was wrong, where, and what to do.',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
}

function answers(status: number, description: string, schema?: TSchema): Record<string, unknown> {
  const content = schema ? { content: { 'application/json': { schema } } } : { type: 'null' }
  return { [status]: { description, ...content }, '4xx': problem, '5xx': problem }
}

const text = (description: string) => ({ type: 'string', description })
const headers = (named: Record<string, string>) => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(named).map(([name, description]) => [name, { type: 'string', description }])),
})

export const createSchema: FastifySchema = {
  operationId: 'createExport',
  summary: 'Ask for an export',
  tags: ['exports'],
  body: ExportBody,
  querystring: NoQuery,
  headers: headers({
    'idempotency-key':
      '1 to 255 printable ASCII characters without commas. For 24 hours the same key and body give the same export.',
    prefer: '`wait=N`: answer when the export has ended, after N seconds (at most 30) at the latest.',
  }),
  response: {
    ...answers(201, 'Stored, and queued to run.'),
    201: {
      description: 'Stored, and queued to run.',
      headers: { location: text("The export's address."), 'preference-applied': text('How long was waited at most.') },
      content: { 'application/json': { schema: ExportRef } },
    },
  },
}

export const listSchema: FastifySchema = {
  operationId: 'listExports',
  summary: 'List exports, newest first',
  tags: ['exports'],
  querystring: ListQuery,
  response: answers(200, 'One page.', ExportPage),
}

export const getSchema: FastifySchema = {
  operationId: 'getExport',
  summary: 'Read an export',
  tags: ['exports'],
  params: ExportParams,
  querystring: NoQuery,
  headers: headers({ 'if-none-match': 'The ETag of an earlier answer: 304 when nothing has changed.' }),
  response: {
    ...answers(200, 'The export as it stands.', ExportRef),
    304: { description: 'Nothing has changed.', type: 'null' },
  },
}

function verbSchema(verb: string, summary: string): FastifySchema {
  return {
    operationId: `${verb}Export`,
    summary,
    tags: ['exports'],
    params: ExportParams,
    querystring: NoQuery,
    response: answers(200, 'The export after it.', ExportRef),
  }
}

export const interruptSchema = verbSchema('interrupt', 'Stop an export so that it can be started again')
export const startSchema = verbSchema('start', 'Start an interrupted or failed export again, from a new snapshot')
export const cancelSchema = verbSchema('cancel', 'Stop an export for good')

export const removeSchema: FastifySchema = {
  operationId: 'removeExport',
  summary: 'Remove an export and its files',
  tags: ['exports'],
  params: ExportParams,
  querystring: NoQuery,
  response: answers(204, 'Removed.'),
}

export const eventsSchema: FastifySchema = {
  operationId: 'listEvents',
  summary: 'What happened to an export; with Accept: text/event-stream as it happens',
  tags: ['exports'],
  params: ExportParams,
  querystring: NoQuery,
  headers: headers({ 'last-event-id': 'A stream continues after this event.' }),
  response: {
    ...answers(200, 'Every event so far, or the stream.'),
    200: {
      description: 'Every event so far, or the stream.',
      content: { 'application/json': { schema: EventList }, 'text/event-stream': { schema: { type: 'string' } } },
    },
    204: { description: 'The export has ended and the client has every event.', type: 'null' },
  },
}

export const fileSchema: FastifySchema = {
  operationId: 'downloadFile',
  summary: 'Download the only file of an export',
  tags: ['exports'],
  params: ExportParams,
  querystring: NoQuery,
  response: answers(302, 'To a signed link that works for a few minutes and needs no key.'),
}

export const numberedFileSchema: FastifySchema = {
  ...fileSchema,
  operationId: 'downloadNumberedFile',
  summary: 'Download one file of an export, counted from 1 as the manifest lists them; of a split export also while it runs',
  params: FileParams,
}

export const archiveSchema: FastifySchema = {
  ...fileSchema,
  operationId: 'downloadArchive',
  summary: 'Download all files of an export as one zip archive',
}

export const estimateSchema: FastifySchema = {
  operationId: 'estimateExport',
  summary: 'Rows, bytes, seconds and the first 20 rows of an export, without creating it',
  tags: ['exports'],
  body: ExportBody,
  querystring: NoQuery,
  response: answers(200, 'What the export would be.', EstimateSchema),
}

export const resourcesSchema: FastifySchema = {
  operationId: 'listResources',
  summary: 'What may be exported',
  tags: ['resources'],
  querystring: NoQuery,
  response: answers(200, 'Every resource with its fields and relations.', ResourceList),
}
