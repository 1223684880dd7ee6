/** Lists what may be exported. */
import type { Principal } from '../access/principal.ts'
import type { PublicResource } from '../catalog/catalog.ts'
import type { ExportsContext } from './context.ts'

/** Those that the caller may do anything with, with the fields that they may have; null: all, for a protocol's own settings. */
export function listResources(context: ExportsContext, caller: Principal | null): readonly PublicResource[] {
  return context.catalog().resources(caller)
}
