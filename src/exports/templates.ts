/** What a tenant saves for later requests: a name and plain data, whose meaning is the protocol's that keeps it. */
import { actorOf, type Principal } from '../access/principal.ts'
import { FreightError } from '../job/errors.ts'
import type { Template } from '../store/store.ts'
import { assertMay } from './access.ts'
import type { ExportsContext } from './context.ts'
import { isShortId, newShortId } from './ids.ts'

/** Of one kind and tenant: nobody picks from more, and lists need no pages in the store. */
export const MOST_TEMPLATES = 200

export type TemplateInput = Pick<Template, 'name' | 'content'>

/** Oldest first. Throws FORBIDDEN. */
export async function listTemplates(context: ExportsContext, caller: Principal, kind: string): Promise<readonly Template[]> {
  assertMay(caller, 'read')
  return context.store.templates(place(caller, kind))
}

/** To read it, or for an export that is to be made. Null when unknown. Throws FORBIDDEN. */
export async function findTemplate(
  context: ExportsContext,
  caller: Principal,
  kind: string,
  id: string,
  deed: 'read' | 'write',
): Promise<Template | null> {
  assertMay(caller, deed)
  return isShortId(id) ? context.store.template(place(caller, kind), id) : null
}

/** Throws FORBIDDEN, and VALIDATION_FAILED where the tenant has saved so many already. */
export async function saveTemplate(
  context: ExportsContext,
  caller: Principal,
  kind: string,
  { name, content }: TemplateInput,
): Promise<Template> {
  assertMay(caller, 'write')
  const template: Template = { id: newShortId(), name, content, createdAt: context.now(), updatedAt: null }
  if (await context.store.addTemplate(place(caller, kind), template, { most: MOST_TEMPLATES, actor: actorOf(caller) })) {
    return template
  }
  throw new FreightError('VALIDATION_FAILED', `${MOST_TEMPLATES} are saved already, and no more can be; remove one first.`)
}

/** Throws FORBIDDEN, NOT_FOUND. */
export async function changeTemplate(
  context: ExportsContext,
  caller: Principal,
  kind: string,
  id: string,
  input: TemplateInput,
): Promise<Template> {
  assertMay(caller, 'write')
  const done = { at: context.now(), actor: actorOf(caller) }
  return known(isShortId(id) ? await context.store.changeTemplate(place(caller, kind), id, input, done) : null)
}

/** Throws FORBIDDEN, NOT_FOUND. */
export async function removeTemplate(context: ExportsContext, caller: Principal, kind: string, id: string): Promise<void> {
  assertMay(caller, 'write')
  const done = { at: context.now(), actor: actorOf(caller) }
  known((isShortId(id) && (await context.store.removeTemplate(place(caller, kind), id, done))) || null)
}

function place({ tenant }: Principal, kind: string) {
  return { tenant, kind }
}

function known<T>(found: T | null): T {
  if (found === null) throw new FreightError('NOT_FOUND', 'Nothing is saved with this code.')
  return found
}
