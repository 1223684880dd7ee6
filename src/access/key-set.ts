/** The public keys of an issuer (RFC 7517): from an address or a file, kept in memory, asked for again when they have changed. */
import { readFile } from 'node:fs/promises'
import { type CryptoKey, createLocalJWKSet, errors, type JWTHeaderParameters, type LocalJWKSet } from 'jose'

/** `url` is https (or http on this machine); `file` is absolute. */
export type KeySetPlace = { readonly url: string } | { readonly file: string }

export interface KeySet {
  /** The one key that fits a token's header. Rejects where there is none, or more than one. */
  keyFor(header: JWTHeaderParameters): Promise<CryptoKey>
}

/** A token with an unknown `kid` has the keys asked for again, but anyone can make such a token: no more often than this. */
const UNKNOWN_KEY_MS = 60_000
/** After a failure: soon again, but not once per request. */
const FAILED_MS = 10_000
/** So that a key which the issuer has withdrawn ends here, too. */
const REFRESH_MS = 10 * 60_000
/** An issuer that is away does not lock everyone out at once; keys this old are no longer believed. */
const STALE_MS = 24 * 60 * 60_000
const FETCH_MS = 5_000
const MOST_BYTES = 256 * 1024

/** Nothing is read before the first token. `onFault` hears why the keys could not be had. */
export function createKeySet(place: KeySetPlace, now: () => number, onFault: (error: unknown) => void): KeySet {
  return new LoadedKeys(place, now, onFault)
}

class LoadedKeys implements KeySet {
  readonly #place: KeySetPlace
  readonly #now: () => number
  readonly #onFault: (error: unknown) => void
  #keys: LocalJWKSet | null = null
  #loadedAt = Number.NEGATIVE_INFINITY
  #nextAt = Number.NEGATIVE_INFINITY
  #loading: Promise<void> | null = null

  constructor(place: KeySetPlace, now: () => number, onFault: (error: unknown) => void) {
    this.#place = place
    this.#now = now
    this.#onFault = onFault
  }

  async keyFor(header: JWTHeaderParameters): Promise<CryptoKey> {
    if (!this.#keys || this.#now() - this.#loadedAt > REFRESH_MS) await this.#load()
    try {
      return await this.#current()(header)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await this.#load()
      return await this.#current()(header)
    }
  }

  #current(): LocalJWKSet {
    if (this.#keys && this.#now() - this.#loadedAt <= STALE_MS) return this.#keys
    throw new errors.JWKSNoMatchingKey()
  }

  /** Of simultaneous callers one asks, and the others wait for its answer. */
  #load(): Promise<void> {
    if (!this.#loading && this.#now() < this.#nextAt) return Promise.resolve()
    this.#loading ??= this.#ask().finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  async #ask(): Promise<void> {
    this.#nextAt = this.#now() + UNKNOWN_KEY_MS
    try {
      const text = 'file' in this.#place ? await readFile(this.#place.file, 'utf8') : await fetched(this.#place.url)
      this.#keys = createLocalJWKSet(JSON.parse(text))
      this.#loadedAt = this.#now()
    } catch (error) {
      this.#nextAt = this.#now() + FAILED_MS
      this.#onFault(error)
    }
  }
}

/** Redirects are refused: the configured address is the one that is trusted. */
async function fetched(url: string): Promise<string> {
  const answer = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_MS),
    headers: { accept: 'application/jwk-set+json, application/json' },
  })
  if (!answer.ok || !answer.body) throw new Error(`the key set was answered with ${answer.status}`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new Error(`the key set is larger than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
