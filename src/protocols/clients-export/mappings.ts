/** The mappings that a code may name: presets, those of the configuration, and those that the tenant has saved. */
import type { Principal } from '../../access/principal.ts'
import type { ExportsContext } from '../../exports/context.ts'
import { findTemplate, listTemplates } from '../../exports/templates.ts'
import type { Template } from '../../store/store.ts'
import type { Clients, Mapping } from './clients.ts'

/** Under which the store keeps them. */
export const MAPPING_KIND = 'csv-mapping'

/** Presets first, then those that are saved, oldest first. Throws FORBIDDEN. */
export async function allMappings(context: ExportsContext, caller: Principal, clients: Clients): Promise<readonly Mapping[]> {
  const saved = await listTemplates(context, caller, MAPPING_KIND)
  return [...clients.mappings.values(), ...saved.map(savedMapping)]
}

/** Null for a code that stands for none. Throws FORBIDDEN. */
export async function findMapping(
  context: ExportsContext,
  caller: Principal,
  clients: Clients,
  code: string,
  deed: 'read' | 'write',
): Promise<Mapping | null> {
  const saved = await findTemplate(context, caller, MAPPING_KIND, code, deed)
  return clients.mappings.get(code) ?? (saved && savedMapping(saved))
}

export function savedMapping({ id, name, content, createdAt, updatedAt }: Template): Mapping {
  // Written by `mapping-request.ts`, and by nobody else under this kind.
  const { columns, matchField } = content as unknown as Pick<Mapping, 'columns' | 'matchField'>
  return { code: id, name, columns, matchField, isPreset: false, createdAt, updatedAt }
}
