/** What the configuration says of v1-exports: which resource holds the messages, and how its fields are called. */
import type { Place } from '../../config/place.ts'

export interface V1ExportsConfig {
  /** The resource whose rows are exported: one row per message. */
  readonly resource: string
  /** Its fields (or dotted ones of related resources) that the protocol filters by. */
  readonly fields?: {
    /** Between start_time and end_time; default `created_at`. */
    readonly time?: string
    /** Default `status`. */
    readonly status?: string
    /** Default `direction`. */
    readonly direction?: string
    /** A UUID; default `endpoint_id`. */
    readonly endpoint?: string
    /** A UUID; default `inbound_endpoint_id`. */
    readonly inboundEndpoint?: string
  }
  /** The fields in the file, in order; every field of the resource when absent. */
  readonly columns?: readonly string[]
  /** Project id by tenant, for those whose id is not `proj_` and the tenant's name. */
  readonly projects?: Readonly<Record<string, string>>
  /** Where a caller's endpoints are: an `endpoint_id` that no row of it holds is answered with 404. Absent: none is looked up. */
  readonly endpoints?: {
    readonly resource: string
    /** Holds the endpoint's UUID. */
    readonly field: string
  }
}

const FIELDS = ['time', 'status', 'direction', 'endpoint', 'inboundEndpoint']
const PROJECT_ID = /^proj_[A-Za-z0-9_-]{1,64}$/

export function checkV1Exports(place: Place, value: unknown, resources: readonly string[]): V1ExportsConfig {
  const section = place.object(value, ['resource', 'fields', 'columns', 'projects', 'endpoints'])
  place.at('resource').oneOf(section.resource, resources, 'resource')
  if (section.fields !== undefined) {
    for (const [name, field] of Object.entries(place.at('fields').object(section.fields, FIELDS))) {
      place.at('fields').at(name).text(field)
    }
  }
  if (section.columns !== undefined) place.at('columns').texts(section.columns)
  if (section.projects !== undefined) {
    place.at('projects').map(section.projects, (at, id) => {
      if (!PROJECT_ID.test(at.text(id))) throw at.invalid('must be "proj_" and 1 to 64 letters, digits, "_" or "-".')
    })
  }
  if (section.endpoints !== undefined) {
    const endpoints = place.at('endpoints').object(section.endpoints, ['resource', 'field'])
    place.at('endpoints').at('resource').oneOf(endpoints.resource, resources, 'resource')
    place.at('endpoints').at('field').text(endpoints.field)
  }
  // Every member has been checked against its type above.
  return section as unknown as V1ExportsConfig
}
