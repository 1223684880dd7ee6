/** Lists what may be exported. */
import type { PublicResource } from '../catalog/catalog.ts'
import type { ExportsContext } from './context.ts'

/** The same for every tenant: whose rows an export holds is decided when it is checked. */
export function listResources(context: ExportsContext): readonly PublicResource[] {
  return context.catalog().resources()
}
