/** An issuer of tokens for a site: its keys lie in a file beside the configuration. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const ISSUER = 'https://auth.example.com/'

/** For the site's `issuers`. */
export const ISSUERS = [{ issuer: ISSUER, jwks: 'file:jwks.json', audience: 'freight', claims: { tenant: 'org' } }]
/** The same as text of a configuration file. */
export const ISSUER_CONFIG = JSON.stringify(ISSUERS)

export type SignToken = (claims: Readonly<Record<string, unknown>>) => Promise<string>

export async function makeIssuer(folder: string): Promise<SignToken> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }]
  await writeFile(join(folder, 'jwks.json'), JSON.stringify({ keys }))
  const scope = 'exports:read exports:write exports:download'
  return (claims) =>
    new SignJWT({ scope, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(ISSUER)
      .setAudience('freight')
      .setSubject('someone')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)
}
