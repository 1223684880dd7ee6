/** What the configuration says of api-exports: which resources it serves, and how far exports through it may go. */
import type { Place } from '../../config/place.ts'
import { type ApiExportsWebhookConfig, checkWebhooks } from './webhook-settings.ts'

export interface ApiExportsConfig {
  /** By resource_type as it stands on the wire: the resource behind it. */
  readonly resources: Readonly<Record<string, string>>
  /** Rows that one export may have; default 10,000. */
  readonly maxRecords?: number
  /** Exports of a tenant that may be pending or in progress at once; default 10. */
  readonly maxConcurrent?: number
  /** By resource_type: with `jwt_filters`, each filter here is set to the claim of the caller's token that is named: `{ market_id_in: 'market.id_in' }`. */
  readonly jwtFilters?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** By a name of your choice: who is told what becomes of exports. */
  readonly webhooks?: Readonly<Record<string, ApiExportsWebhookConfig>>
}

/** The vendor's own limits. */
const MAX_RECORDS = 10_000
const MAX_CONCURRENT = 10

/** Every choice that requests are answered by. */
export type ApiExportsSettings = Required<Omit<ApiExportsConfig, 'webhooks'>>

export function settingsOf(config: ApiExportsConfig): ApiExportsSettings {
  const { resources, maxRecords = MAX_RECORDS, maxConcurrent = MAX_CONCURRENT, jwtFilters = {} } = config
  return { resources, maxRecords, maxConcurrent, jwtFilters }
}

export function checkApiExports(place: Place, value: unknown, resources: readonly string[]): ApiExportsConfig {
  const section = place.object(value, ['resources', 'maxRecords', 'maxConcurrent', 'jwtFilters', 'webhooks'])
  const served = place.at('resources').map(section.resources, (at, name) => at.oneOf(name, resources, 'resource'))
  const count = (key: 'maxRecords' | 'maxConcurrent', most: number) =>
    section[key] === undefined ? {} : { [key]: place.at(key).count(section[key], most) }
  return {
    resources: served,
    ...count('maxRecords', Number.MAX_SAFE_INTEGER),
    ...count('maxConcurrent', 1_000_000),
    ...(section.jwtFilters === undefined
      ? {}
      : { jwtFilters: checkJwtFilters(place.at('jwtFilters'), section.jwtFilters, served) }),
    ...(section.webhooks === undefined ? {} : { webhooks: checkWebhooks(place.at('webhooks'), section.webhooks) }),
  }
}

function checkJwtFilters(place: Place, value: unknown, served: Readonly<Record<string, string>>) {
  return place.map(value, (at, filters, type) => {
    at.oneOf(type, Object.keys(served), 'resource_type')
    return at.map(filters, (filter, claim, name) => {
      // A claim may hold several values, and a list says so where there is one.
      if (!name.endsWith('_in')) throw filter.invalid('a filter that a claim is put into must end in "_in".')
      return filter.text(claim)
    })
  })
}
