/** The key pairs that sign Freight's own tokens (ES256): made when needed, replaced every 30 days, published until nothing they signed is valid. */
import { randomBytes } from 'node:crypto'
import { type CryptoKey, createLocalJWKSet, errors, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { OpenedSecret, SecretKeeper } from './kept-secrets.ts'
import type { KeySet } from './key-set.ts'

const PURPOSE = 'token signing'
export const SIGNING_ALGORITHM = 'ES256'

const DAY_MS = 24 * 60 * 60_000
const SIGNS_FOR_MS = 30 * DAY_MS
/** Longer than the longest life of a token and the clocks' tolerance. */
const PUBLISHED_FOR_MS = SIGNS_FOR_MS + 2 * DAY_MS
/** Another process may have made a key. */
const REREAD_MS = 60_000
/** For a `kid` that is not known yet, which anyone can make up. */
const REREAD_UNKNOWN_MS = 1_000

export interface SigningKeys extends KeySet {
  current(): Promise<{ readonly kid: string; readonly key: CryptoKey }>
  /** Public halves, newest first. */
  published(): Promise<{ readonly keys: readonly JWK[] }>
}

interface Pair {
  readonly kid: string
  readonly public: JWK
  /** Null where the private half cannot be opened any more; what it has signed can still be verified. */
  readonly private: JWK | null
  readonly createdAt: Date
}

export function createSigningKeys(keeper: SecretKeeper, now: () => Date): SigningKeys {
  return new RotatingKeys(keeper, now)
}

class RotatingKeys implements SigningKeys {
  readonly #keeper: SecretKeeper
  readonly #now: () => Date
  #pairs: readonly Pair[] = []
  #readAt = Number.NEGATIVE_INFINITY
  #current: { readonly kid: string; readonly key: CryptoKey } | null = null
  #making: Promise<void> | null = null

  constructor(keeper: SecretKeeper, now: () => Date) {
    this.#keeper = keeper
    this.#now = now
  }

  async current(): Promise<{ readonly kid: string; readonly key: CryptoKey }> {
    await this.#reread(REREAD_MS)
    if (!this.#signing()) {
      this.#making ??= this.#make().finally(() => {
        this.#making = null
      })
      await this.#making
    }
    const pair = this.#signing()
    if (!pair?.private) throw new Error('a signing key was kept and cannot be opened')
    if (this.#current?.kid === pair.kid) return this.#current
    this.#current = { kid: pair.kid, key: (await importJWK(pair.private, SIGNING_ALGORITHM)) as CryptoKey }
    return this.#current
  }

  async published(): Promise<{ readonly keys: readonly JWK[] }> {
    await this.#reread(REREAD_MS)
    return { keys: this.#valid().map((pair) => pair.public) }
  }

  async keyFor(header: Parameters<KeySet['keyFor']>[0]): Promise<CryptoKey> {
    await this.#reread(REREAD_MS)
    if (!this.#valid().some(({ kid }) => kid === header.kid)) await this.#reread(REREAD_UNKNOWN_MS)
    const found = this.#valid().find(({ kid }) => kid === header.kid)
    if (!found) throw new errors.JWKSNoMatchingKey()
    return createLocalJWKSet({ keys: [found.public] })(header)
  }

  #valid(): readonly Pair[] {
    return this.#pairs.filter(({ createdAt }) => this.#now().getTime() - createdAt.getTime() < PUBLISHED_FOR_MS)
  }

  #signing(): Pair | undefined {
    return this.#pairs.find((pair) => pair.private !== null && this.#now().getTime() - pair.createdAt.getTime() < SIGNS_FOR_MS)
  }

  async #reread(afterMs: number): Promise<void> {
    if (this.#now().getTime() - this.#readAt < afterMs) return
    this.#readAt = this.#now().getTime()
    this.#pairs = (await this.#keeper.all(PURPOSE)).map(pairOf)
  }

  async #make(): Promise<void> {
    const pair = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true })
    const kid = randomBytes(12).toString('base64url')
    const shown = { ...(await exportJWK(pair.publicKey)), kid, alg: SIGNING_ALGORITHM, use: 'sig' }
    const text = JSON.stringify(await exportJWK(pair.privateKey))
    await this.#keeper.keep({ id: kid, purpose: PURPOSE, public: JSON.stringify(shown), createdAt: this.#now() }, text)
    for (const { kid: old, createdAt } of this.#pairs) {
      if (this.#now().getTime() - createdAt.getTime() >= PUBLISHED_FOR_MS) await this.#keeper.drop(old)
    }
    await this.#reread(0)
  }
}

function pairOf({ id, public: shown, text, createdAt }: OpenedSecret): Pair {
  return { kid: id, public: JSON.parse(shown ?? '{}'), private: text === null ? null : JSON.parse(text), createdAt }
}
