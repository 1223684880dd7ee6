/** Secrets that Freight makes for itself and keeps in its store: always sealed there, and sealed anew when FREIGHT_SECRET is rotated. */
import { randomBytes } from 'node:crypto'
import type { KeptSecret, SecretStore } from '../store/store.ts'
import { createSealer } from './sealed.ts'

export interface OpenedSecret {
  readonly id: string
  readonly public: string | null
  /** Null where no secret that is given opens it any more. */
  readonly text: string | null
  readonly createdAt: Date
}

export interface SecretKeeper {
  /** Newest first. */
  all(purpose: string): Promise<readonly OpenedSecret[]>
  keep(secret: Omit<KeptSecret, 'sealed'>, text: string): Promise<void>
  drop(id: string): Promise<void>
}

/** `secrets` as `loadSecrets` gives them. */
export function createSecretKeeper(store: SecretStore, secrets: readonly string[]): SecretKeeper {
  const current = createSealer(secrets.slice(0, 1), 'kept secrets')
  const any = createSealer(secrets, 'kept secrets')
  const opened = async ({ id, sealed }: KeptSecret): Promise<string | null> => {
    const text = tryOpen(current.open, sealed)
    if (text !== null) return text
    const older = tryOpen(any.open, sealed)
    // So that it can still be opened when the secret before is taken away.
    if (older !== null) await store.reseal(id, current.seal(older))
    return older
  }
  return {
    async all(purpose) {
      const found: OpenedSecret[] = []
      for (const secret of await store.secrets(purpose)) {
        found.push({ id: secret.id, public: secret.public, text: await opened(secret), createdAt: secret.createdAt })
      }
      return found
    },
    keep: (secret, text) => store.keepSecret({ ...secret, sealed: current.seal(text) }),
    drop: (id) => store.dropSecret(id),
  }
}

function tryOpen(open: (sealed: string) => string, sealed: string): string | null {
  try {
    return open(sealed)
  } catch {
    return null
  }
}

const MASK = 'mask'

/**
 * The key of hashed masks: made once and the same ever after, so that a value has the same hash in every export. 64 hex digits. Where it
 * cannot be opened any more a new one is made, and hashes differ from those before.
 */
export async function maskKey(keeper: SecretKeeper, now: Date): Promise<string> {
  const usable = async (): Promise<string | null> => (await keeper.all(MASK)).find(({ text }) => text !== null)?.text ?? null
  const kept = await usable()
  if (kept !== null) return kept
  const lost = await keeper.all(MASK)
  // A fixed id: of two processes that make one at once, both go on with the first.
  const id = `${MASK}-${lost.length + 1}`
  await keeper.keep({ id, purpose: MASK, public: null, createdAt: now }, randomBytes(32).toString('hex'))
  const made = await usable()
  if (made === null) throw new Error('the key of masks was kept and cannot be opened')
  return made
}
