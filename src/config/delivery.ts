/** What the configuration says of deliveries: where a caller's destination may be, and how it is reached. */
import { isIP } from 'node:net'
import type { Place } from './place.ts'

export interface DeliveryConfig {
  /** Names that files may be sent to: `sftp.example.com`, `*.amazonaws.com`. Every name with a public address when absent. */
  readonly hosts?: readonly string[]
  /** Networks that are inside and may be reached all the same: `10.20.0.0/16`, `127.0.0.1`. None when absent. */
  readonly networks?: readonly string[]
  /** Where S3 is, for destinations that name no endpoint of their own: `https://minio.example.com:9000`. AWS when absent. */
  readonly s3Endpoint?: string
  /** SHA-256 fingerprints of SFTP servers' host keys, by host, as `ssh-keygen -lf` prints them. A host that is not named is believed. */
  readonly hostKeys?: Readonly<Record<string, string>>
}

export interface DeliverySettings {
  /** Null: every name. */
  readonly hosts: readonly string[] | null
  readonly networks: readonly string[]
  readonly s3Endpoint: string | null
  readonly hostKeys: Readonly<Record<string, string>>
}

const HOST = /^(?:\*\.)?[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/

export function checkDelivery(place: Place, value: unknown): DeliverySettings {
  const section = value === undefined ? {} : place.object(value, ['hosts', 'networks', 's3Endpoint', 'hostKeys'])
  return {
    hosts: section.hosts === undefined ? null : checkList(place.at('hosts'), section.hosts, checkHost),
    networks: section.networks === undefined ? [] : checkList(place.at('networks'), section.networks, checkNetwork),
    s3Endpoint: section.s3Endpoint === undefined ? null : checkEndpoint(place.at('s3Endpoint'), section.s3Endpoint),
    hostKeys: section.hostKeys === undefined ? {} : place.at('hostKeys').map(section.hostKeys, checkHostKey),
  }
}

function checkList(place: Place, value: unknown, check: (at: Place, entry: string) => void): string[] {
  place.texts(value)
  const entries = value as string[]
  entries.forEach((entry, index) => {
    check(place.at(String(index)), entry)
  })
  return [...entries]
}

function checkHost(place: Place, host: string): void {
  if (!HOST.test(host)) throw place.invalid('must be a host name, such as sftp.example.com or *.example.com.')
}

function checkNetwork(place: Place, network: string): void {
  const [address = '', bits, more] = network.split('/')
  const most = isIP(address) === 6 ? 128 : 32
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
  if (isIP(address) === 0 || !fits || more !== undefined) {
    throw place.invalid('must be an address or a network, such as 10.20.0.0/16 or 127.0.0.1.')
  }
}

function checkEndpoint(place: Place, value: unknown): string {
  const text = place.text(value)
  const url = URL.canParse(text) ? new URL(text) : null
  const isOrigin = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  if (!isOrigin || url.pathname !== '/') throw place.invalid('must be an http or https address without a path, user or query.')
  return url.origin
}

function checkHostKey(place: Place, value: unknown): string {
  const text = place.text(value)
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)) return text
  throw place.invalid('must be "SHA256:" and 43 characters, as "ssh-keygen -lf" prints a key.')
}
