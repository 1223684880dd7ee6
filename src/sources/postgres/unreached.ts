/** Why there is no connection to the server, as far as the network and TLS tell: never an address, a file's name or a secret. */

const UNKNOWN = 'The connection to PostgreSQL could not be made or was lost; check that it runs and is reached.'
const UNTRUSTED =
  'The certificate of PostgreSQL is signed by nobody whom this machine trusts; name the file of its authority in the address of the source: sslrootcert=FILE.'
const EXPIRED = 'The certificate of PostgreSQL is not valid now; look at its dates and at the clock of this machine.'
const FILES = 'A certificate file that the address of the source names cannot be read; check its sslrootcert, sslcert and sslkey.'
const ADDRESS = 'The address of the source cannot be read; write postgres://user@host/database.'

/** By the code of Node's error: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const BY_CODE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: EXPIRED,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate of PostgreSQL is for another host name than the one in the address of the source; use the name that it is for.',
  ERR_INVALID_URL: ADDRESS,
}

export function whyUnreached(thrown: unknown): string {
  const { code = '', syscall, message } = thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : { message: '' }
  const known = BY_CODE[code]
  if (known !== undefined) return known
  // Read from disk, or read as a certificate by OpenSSL.
  if (syscall === 'open' || syscall === 'read' || code.startsWith('ERR_OSSL_')) return FILES
  if (message.includes('does not support SSL')) {
    return 'PostgreSQL takes no encrypted connections, and the address of the source wants one; turn them on in the server, or write sslmode=disable.'
  }
  return UNKNOWN
}

/**
 * For `pg`, which reads `prefer`, `require` and `verify-ca` as `verify-full` until its version 9, and prints a page about that. So do
 * we, whatever its version: an address that looks safe is.
 */
export function checkedAddress(url: string): string {
  if (/[?&]uselibpqcompat=true/.test(url)) return url
  return url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|#|$)/, '$1verify-full')
}
