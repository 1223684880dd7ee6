/** From the wire to a mapping that is saved, and to the page of a list: CreateCsvMappingRequest, UpdateCsvMappingRequest. Pure. */
import type { TemplateInput } from '../../exports/templates.ts'
import { FreightError } from '../../job/errors.ts'
import { readChoice, readColumnMappings, readMembers, readText } from './body.ts'
import { type Clients, MATCH_FIELDS } from './clients.ts'

const MEMBERS = ['name', 'columnMappings', 'matchField']
const MAX_NAME_LENGTH = 200

/** Throws VALIDATION_FAILED. */
export function readNewMapping(body: unknown, clients: Clients): TemplateInput {
  const members = readMembers(body, '', [...MEMBERS, 'mappingType'])
  readChoice(members.get('mappingType'), '/mappingType', ['Client'])
  return mappingOf(members, clients)
}

/** A change is whole: what is not named is not kept. Throws VALIDATION_FAILED. */
export function readChangedMapping(body: unknown, clients: Clients): TemplateInput {
  return mappingOf(readMembers(body, '', MEMBERS), clients)
}

function mappingOf(members: ReadonlyMap<string, unknown>, clients: Clients): TemplateInput {
  return {
    name: readText(members.get('name'), '/name', MAX_NAME_LENGTH),
    content: {
      columns: readColumnMappings(members.get('columnMappings'), clients),
      matchField: readChoice(members.get('matchField') ?? 'Code', '/matchField', MATCH_FIELDS),
    },
  }
}

export interface MappingPage {
  readonly offset: number
  readonly limit: number
}

const USUAL_LIMIT = 100
const MOST_LIMIT = 500

/** Throws VALIDATION_FAILED. Other parameters are left alone: which of them the product's lists take is not known. */
export function readPage(query: unknown): MappingPage {
  const { offset, limit } = (query ?? {}) as Readonly<Record<string, unknown>>
  return {
    offset: readNumber('offset', offset ?? '0', 0, 1_000_000),
    limit: readNumber('limit', limit ?? String(USUAL_LIMIT), 1, MOST_LIMIT),
  }
}

function readNumber(name: string, value: unknown, least: number, most: number): number {
  const number = typeof value === 'string' && /^\d{1,7}$/.test(value) ? Number(value) : -1
  if (number >= least && number <= most) return number
  throw new FreightError('VALIDATION_FAILED', `${name} must be a whole number from ${least} to ${most}.`)
}
