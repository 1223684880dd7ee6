/** Where a caller wants the files copied: checked, and its credentials sealed before anything of it is stored. */

import type { Destination, S3Credentials, S3Destination, SftpCredentials, SftpDestination } from '../job/destination.ts'
import { FreightError } from '../job/errors.ts'

/** As a caller gives it: it never goes into a record, an event or a log. */
export type DestinationRequest =
  | (Omit<S3Destination, 'sealed'> & { readonly credentials: S3Credentials })
  | (Omit<SftpDestination, 'sealed'> & { readonly credentials: SftpCredentials })

/** What may be delivered to, and the seal; `service.ts` makes it from the configuration. */
export interface Destinations {
  readonly sealer: { seal(text: string): string }
  /** Null when a destination may be on this host, as far as its name tells; else why not. */
  refusal(host: string): string | null
}

const BUCKET = /^(?!xn--|sthree-|.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const REGION = /^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/
const HOST =
  /^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?|[0-9a-fA-F:.]{2,45})$/
const LONGEST_FOLDER = 1_024
const LONGEST_CREDENTIAL = 128

/**
 * Throws VALIDATION_FAILED with a pointer into `/destination`. Whether the host's address may be reached is judged again
 * when it is connected to: a name may lead elsewhere by then.
 */
export function sealDestination(asked: DestinationRequest, { sealer, refusal }: Destinations): Destination {
  checkFolder(asked.folder)
  for (const [name, value] of Object.entries(asked.credentials)) checkCredential(name, value)
  const { credentials, ...place } = asked
  if (place.kind === 's3') checkBucket(place, refusal)
  else checkServer(place, refusal)
  const sealed = sealer.seal(JSON.stringify(credentials))
  return { ...place, sealed }
}

function checkFolder(folder: string): void {
  const hasControl = [...folder].some((character) => character < ' ' || character === '\x7f')
  const steps = folder.split('/')
  if (folder.length > LONGEST_FOLDER || hasControl || steps.includes('..') || steps.includes('.') || folder.includes('\\')) {
    throw refused('folder', `The folder has at most ${LONGEST_FOLDER} characters, and no "..", backslash or control character.`)
  }
}

function checkCredential(name: string, value: unknown): void {
  if (value === null && name === 'password') return
  const fits = typeof value === 'string' && value.length > 0 && value.length <= LONGEST_CREDENTIAL && !/[\0\r\n]/.test(value)
  if (!fits) throw refused(`credentials/${name}`, `${name} has 1 to ${LONGEST_CREDENTIAL} characters, without line breaks.`)
}

function checkBucket({ bucket, region, endpoint }: Omit<S3Destination, 'sealed'>, refusal: Destinations['refusal']): void {
  if (!BUCKET.test(bucket)) throw refused('bucket', 'This is not the name of a bucket.')
  if (!REGION.test(region)) throw refused('region', 'This is not the name of a region.')
  if (endpoint === null) return
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null
  const isOrigin = url && /^https?:$/.test(url.protocol) && url.origin === endpoint.replace(/\/$/, '')
  if (!isOrigin) throw refused('endpoint', 'The endpoint is an http or https address without a path, user or query.')
  checkReachable('endpoint', url.hostname, refusal)
}

function checkServer({ host, port }: Omit<SftpDestination, 'sealed'>, refusal: Destinations['refusal']): void {
  if (host.length > 253 || !HOST.test(host)) throw refused('host', 'This is not the name of a host.')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw refused('port', 'A port is a whole number from 1 to 65535.')
  checkReachable('host', host, refusal)
}

function checkReachable(member: string, host: string, refusal: Destinations['refusal']): void {
  const why = refusal(host)
  if (why !== null) throw refused(member, `Nothing can be delivered there: ${why}.`)
}

function refused(member: string, message: string): FreightError {
  return new FreightError('VALIDATION_FAILED', message, { details: { pointer: `/destination/${member}` } })
}
