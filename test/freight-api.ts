/** Freight's own API on a real store, behind the real HTTP server, asked without a socket. */
import type { Probe } from '../src/exports/probe.ts'
import { type InjectedSite, openInjectedSite } from './injected-site.ts'

/** As much as the tests look into: an export, a page of exports, events or resources, a problem. */
interface ApiBody {
  readonly id: string
  readonly status: string | number
  readonly reference: string | null
  readonly metadata: unknown
  readonly data: readonly { readonly id: string; readonly type: string; readonly seq: number; readonly name: string }[]
  readonly next_cursor: string | null
  readonly code: string
  readonly detail: string
  readonly request_id: string
  readonly pointer: string
  readonly allowed: readonly string[]
}

export interface ApiSite extends InjectedSite<ApiBody> {
  post: (url: string, payload?: unknown, headers?: Record<string, string>) => ReturnType<InjectedSite<ApiBody>['call']>
}

export async function openApiSite(probe: Partial<Probe> = {}): Promise<ApiSite> {
  const site = await openInjectedSite<ApiBody>({
    probe,
    otherMode: 'live',
    headersFor: (payload) => (payload === undefined ? {} : { 'content-type': 'application/json' }),
  })
  return { ...site, post: (url, payload, headers) => site.call('POST', url, payload, headers) }
}
