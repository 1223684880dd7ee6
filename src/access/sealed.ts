/**
 * Sealing: small secrets (credentials, private keys) as they rest in the store or on disk, readable only with FREIGHT_SECRET.
 *
 * AES-256-GCM under a key derived from the secret by HKDF-SHA-256 (RFC 5869). Random 96-bit nonces are safe for some 2^32 seals under one key
 * (NIST SP 800-38D, section 8.3), far more than there are credentials.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { FreightError } from '../job/errors.ts'

export interface Sealer {
  /** Printable ASCII, different at each call, about 4/3 of the text's UTF-8 bytes and 50 more. */
  seal(text: string): string
  /**
   * What was sealed for the same purpose under any of the secrets. Throws CONFIG_INVALID, naming neither, when none of them opens it or it was
   * altered.
   */
  open(sealed: string): string
}

const VERSION = 's1.'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * The first of `secrets` (as `loadSecrets` gives them) seals, all open, so that a secret can be rotated without sealing anything anew. What is
 * sealed for one `purpose` cannot be opened, or passed off, as another's.
 */
export function createSealer(secrets: readonly string[], purpose: string): Sealer {
  const [sealing, ...others] = secrets.map((secret) => keyOf(secret, purpose))
  if (sealing === undefined) throw new FreightError('CONFIG_INVALID', 'A secret is needed to seal credentials.')
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce)
      const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return VERSION + bytes.toString('base64url')
    },
    open(sealed) {
      for (const key of [sealing, ...others]) {
        const text = opened(sealed, key)
        if (text !== null) return text
      }
      throw new FreightError(
        'CONFIG_INVALID',
        'Something that Freight keeps sealed cannot be opened: it was altered, or sealed under another secret. Set FREIGHT_SECRET_PREVIOUS to the secret that was in use before.',
      )
    },
  }
}

function keyOf(secret: string, purpose: string): Buffer {
  // No salt: the secret is random already, and the same one must give the same key at every start.
  return Buffer.from(hkdfSync('sha256', secret, '', `freight sealed ${purpose}`, 32))
}

function opened(sealed: string, key: Buffer): string | null {
  if (!sealed.startsWith(VERSION)) return null
  const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url')
  // A tag cut short would be accepted as a weaker one.
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    const text = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch {
    // Another key's, or altered: GCM does not tell which.
    return null
  }
}
