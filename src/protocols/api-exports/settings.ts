/** What the configuration says of api-exports: which resources it serves. */
import type { Place } from '../../config-check.ts'

export interface ApiExportsConfig {
  /** By resource_type as it stands on the wire: the resource behind it. */
  readonly resources: Readonly<Record<string, string>>
}

export function checkApiExports(place: Place, value: unknown, resources: readonly string[]): ApiExportsConfig {
  const section = place.object(value, ['resources'])
  return { resources: place.at('resources').map(section.resources, (at, name) => at.oneOf(name, resources, 'resource')) }
}
