/** The `code` of a configuration file: resources whose rows the application makes. */

import { type CodeResource, checkCodeResources } from '../job/code-resource.ts'
import { FreightError } from '../job/errors.ts'
import type { Place } from './place.ts'
import type { ResolvedResource, ResolvedSource } from './resolved.ts'

/** The name of the source that is a configuration file's own `code`. */
export const CODE_SOURCE = 'code'

export interface CodeOffer {
  readonly sources: Readonly<Record<string, ResolvedSource>>
  readonly resources: Readonly<Record<string, ResolvedResource>>
}

/** Functions cannot be posted to a thread, a path can: `modulePath` is that of the file, null where there is none. Throws CONFIG_INVALID. */
export function checkCode(root: Place, value: unknown, modulePath: string | null): CodeOffer {
  if (value === undefined) return { sources: {}, resources: {} }
  const place = root.at('code')
  if (modulePath === null)
    throw place.invalid(
      "works only in a configuration file; name the code's module as a source instead: 'code:path/to/module.ts'.",
    )
  const resources = listed(root, value).map((resource, index): [string, ResolvedResource] => [
    resource.name,
    resolved(place.at(String(index)), resource),
  ])
  const source: ResolvedSource = { url: `code:${modulePath}`, consistency: 'snapshot', parallel: 1 }
  return { sources: { [CODE_SOURCE]: source }, resources: Object.fromEntries(resources) }
}

function listed(root: Place, value: unknown): readonly CodeResource[] {
  try {
    return checkCodeResources(value, 'code')
  } catch (error) {
    throw error instanceof FreightError ? root.invalid(error.message) : error
  }
}

/** Without a field for it, `rows` itself gives the tenant's rows alone, as its contract says. */
function resolved(
  place: Place,
  { name, tenant = 'shared', retentionDays, maxRows, dryDataOmits }: CodeResource,
): ResolvedResource {
  if (dryDataOmits !== undefined) place.at('dryDataOmits').texts(dryDataOmits)
  return {
    source: CODE_SOURCE,
    table: name,
    tenant,
    ...(retentionDays === undefined ? {} : { retentionDays: place.at('retentionDays').number(retentionDays, 3_650) }),
    ...(maxRows === undefined ? {} : { maxRows: place.at('maxRows').count(maxRows, Number.MAX_SAFE_INTEGER) }),
    ...(dryDataOmits === undefined ? {} : { dryDataOmits }),
  }
}
