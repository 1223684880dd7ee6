/**
 * Which hosts a delivery may connect to. The destination comes from a caller, so without this it could be used to reach what stands
 * behind the firewall: the address that is connected to is judged, not the name, since a name may lead anywhere and elsewhere a
 * second later.
 */
import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { DeliveryFault } from './delivery.ts'

export interface ReachSettings {
  /** `sftp.example.com`, `*.example.com`; null for every name. */
  readonly hosts: readonly string[] | null
  /** Networks that are inside and may be reached all the same: `10.20.0.0/16`, `127.0.0.1`. */
  readonly networks: readonly string[]
}

export interface Reach {
  /** Throws a DeliveryFault when the name is not allowed, or is itself an address that may not be reached. */
  assertHost(host: string): void
  /** For `net.connect` and agents: gives only addresses that may be reached, and a DeliveryFault when one may not. */
  readonly lookup: LookupFunction
}

/** Not of the public internet (IANA special-purpose registries, RFC 6890): own machine, private, link-local with the clouds' metadata, shared, reserved. */
const INSIDE_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** Of IPv6 only 2000::/3 is public, and in it these are not: Teredo and other protocol assignments, documentation, 6to4. */
const PUBLIC_V6 = '2000::/3'
const INSIDE_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']
const MAPPED_V4 = '::ffff:0:0/96'

export function createReach({ hosts, networks }: ReachSettings): Reach {
  const insideV4 = listOf(INSIDE_V4)
  const publicV6 = listOf([PUBLIC_V6])
  const insideV6 = listOf(INSIDE_V6)
  const mappedV4 = listOf([MAPPED_V4])
  const allowed = listOf(networks)

  const mayReach = (address: string): boolean => {
    // A zone (`fe80::1%eth0`) is only for addresses inside.
    const plain = address.split('%', 1)[0] ?? ''
    if (isIP(plain) === 4) return allowed.check(plain, 'ipv4') || !insideV4.check(plain, 'ipv4')
    if (isIP(plain) !== 6) return false
    if (allowed.check(plain, 'ipv6')) return true
    // `::ffff:127.0.0.1` is judged as the IPv4 address it stands for; so does BlockList.
    if (mappedV4.check(plain, 'ipv6')) return !insideV4.check(plain, 'ipv6')
    return publicV6.check(plain, 'ipv6') && !insideV6.check(plain, 'ipv6')
  }

  const assertHost = (host: string): void => {
    const name = bare(host)
    if (hosts !== null && !hosts.some((pattern) => matches(name, pattern.toLowerCase()))) {
      throw new DeliveryFault('refused', 'this server may not deliver to that host')
    }
    if (isIP(name) !== 0 && !mayReach(name)) throw notPublic()
  }

  const judged: LookupFunction = (hostname, options, callback) => {
    try {
      assertHost(hostname)
    } catch (refused) {
      callback(refused as Error, '', 0)
      return
    }
    resolve(hostname, options.family, (error, addresses) => {
      if (error) callback(error, '', 0)
      // One that leads inside spoils them all: whoever answers so is up to something, and a caller may not choose among them.
      else if (!addresses.every(({ address }) => mayReach(address))) callback(notPublic(), '', 0)
      else if (options.all) callback(null, addresses)
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4)
    })
  }
  return { assertHost, lookup: judged }
}

type Resolved = (error: Error | null, addresses: LookupAddress[]) => void

function resolve(hostname: string, family: number | 'IPv4' | 'IPv6' | undefined, done: Resolved): void {
  // Names below `localhost` are this machine without asking anyone (RFC 6761, section 6.3); not every system's resolver knows.
  if (/(?:^|\.)localhost$/.test(bare(hostname))) done(null, [{ address: '127.0.0.1', family: 4 }])
  else lookup(hostname, { all: true, ...(family === undefined ? {} : { family }) }, (error, found) => done(error, found ?? []))
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$|\.$/g, '')
}

function matches(host: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1 : host === pattern
}

function notPublic(): DeliveryFault {
  return new DeliveryFault('refused', 'its address is not a public one')
}

/** Of addresses and of networks as `address/bits`. Throws for anything else. */
function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}
