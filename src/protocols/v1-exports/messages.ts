/** The resource behind v1-exports with every choice of the configuration made. */
import type { listResources } from '../../exports/resources.ts'
import { requireField } from '../resource-fields.ts'
import type { V1ExportsConfig } from './settings.ts'

export interface Messages {
  readonly resource: string
  readonly fields: {
    readonly time: string
    readonly status: string
    readonly direction: string
    readonly endpoint: string
    readonly inboundEndpoint: string
  }
  /** Empty: every field of the resource. */
  readonly columns: readonly string[]
  readonly endpoints: { readonly resource: string; readonly field: string } | null
  projectOf(tenant: string): string
}

const PLACE = 'protocols.v1-exports'

/** Throws CONFIG_INVALID for a field that the resource does not have. */
export function configuredMessages(config: V1ExportsConfig, resources: ReturnType<typeof listResources>): Messages {
  const fields = {
    time: config.fields?.time ?? 'created_at',
    status: config.fields?.status ?? 'status',
    direction: config.fields?.direction ?? 'direction',
    endpoint: config.fields?.endpoint ?? 'endpoint_id',
    inboundEndpoint: config.fields?.inboundEndpoint ?? 'inbound_endpoint_id',
  }
  for (const [name, path] of Object.entries(fields)) requireField(resources, config.resource, path, `${PLACE}.fields.${name}`)
  const columns = config.columns ?? []
  for (const [index, path] of columns.entries()) requireField(resources, config.resource, path, `${PLACE}.columns.${index}`)
  const { endpoints, projects = {} } = config
  if (endpoints) requireField(resources, endpoints.resource, endpoints.field, `${PLACE}.endpoints.field`)
  return {
    resource: config.resource,
    fields,
    columns,
    endpoints: endpoints ?? null,
    projectOf: (tenant) => (Object.hasOwn(projects, tenant) ? projects[tenant] : undefined) ?? `proj_${tenant}`,
  }
}
