/** Freight's own API on a real store, behind the real HTTP server, asked without a socket. */
import type { Probe } from '../src/exports/probe.ts'
import { type InjectedSite, openInjectedSite } from './injected-site.ts'

export interface ApiSite extends InjectedSite {
  post: (url: string, payload?: unknown, headers?: Record<string, string>) => ReturnType<InjectedSite['call']>
}

export async function openApiSite(probe: Partial<Probe> = {}): Promise<ApiSite> {
  const site = await openInjectedSite({
    probe,
    otherMode: 'live',
    headersFor: (payload) => (payload === undefined ? {} : { 'content-type': 'application/json' }),
  })
  return { ...site, post: (url, payload, headers) => site.call('POST', url, payload, headers) }
}
