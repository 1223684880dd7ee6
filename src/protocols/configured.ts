/** The protocols that the configuration asks for, ready to be mounted. */
import type { Protocol, ProtocolSite } from './protocol.ts'
import type { ProtocolsConfig } from './settings.ts'

type Making = (config: ProtocolsConfig, site: ProtocolSite) => Protocol | undefined

/** One line for each, as in `({ 'x': section }, site) => section && xProtocol(section, site)`. */
const MAKINGS: readonly Making[] = []

/** Throws CONFIG_INVALID where a section names a field that its resource does not have. */
export function configuredProtocols(config: ProtocolsConfig, site: ProtocolSite): Protocol[] {
  return MAKINGS.flatMap((make) => make(config, site) ?? [])
}
