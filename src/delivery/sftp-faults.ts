/** What an SFTP server or the way to it did wrong, as a DeliveryFault. */
import { DeliveryFault } from './delivery.ts'
import { quiet } from './quiet.ts'

/** Status codes of the protocol (draft-ietf-secsh-filexfer-02, section 7, and -13 for those above 8). */
const REFUSED: Readonly<Record<number, string>> = {
  2: 'the folder is not there and cannot be made',
  3: 'it does not allow writing there (permission denied)',
  8: 'it does not offer what a delivery needs',
  10: 'the folder is not there and cannot be made',
  12: 'it does not allow writing there (write protected)',
  14: 'it has no space left',
  15: 'it has no space left for this user (quota)',
}
export const GENERAL_FAILURE = 4
/** The library's own, when it has no connection any more. */
const NO_CONNECTION = 6
const CONNECTION_LOST = 7

/** Whether the server itself said no, so that it has been heard. */
export function isAnswer(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as { code?: unknown }
  return typeof code === 'number' && code !== NO_CONNECTION && code !== CONNECTION_LOST
}

interface SshError extends Error {
  readonly code?: unknown
  /** `client-authentication`, `client-timeout`, `client-socket`, `handshake`, `protocol`. */
  readonly level?: unknown
}

/** `secrets` never stand in what comes back, its cause included. */
export function sftpFault(thrown: unknown, secrets: readonly string[]): DeliveryFault {
  for (let at = thrown, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof DeliveryFault) return at
  }
  const error: SshError = thrown instanceof Error ? thrown : new Error(String(thrown))
  const cause = quiet(error, secrets)
  // ssh2-sftp-client words this error anew and drops its level.
  if (error.level === 'client-authentication' || /authentication methods failed/i.test(error.message)) {
    return new DeliveryFault('refused', 'it refused the user name or password', cause)
  }
  if (/host denied|verification failed/i.test(error.message)) {
    return new DeliveryFault('refused', 'it is not the server whose host key the configuration names', cause)
  }
  if (error.level === 'client-timeout' || /timed out while waiting/i.test(error.message)) {
    return new DeliveryFault('passing', 'it gave no sign for too long', cause)
  }
  const refusal = typeof error.code === 'number' ? REFUSED[error.code] : undefined
  if (refusal !== undefined) return new DeliveryFault('refused', refusal, cause)
  // OpenSSH says no more than "Failure" when its disk is full.
  if (error.code === GENERAL_FAILURE) return new DeliveryFault('passing', 'it could not write the file (failure)', cause)
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    return new DeliveryFault('passing', 'its name could not be resolved', cause)
  }
  const code = typeof error.code === 'string' && /^E[A-Z]{2,20}$/.test(error.code) ? ` (${error.code})` : ''
  return new DeliveryFault('passing', `the connection to it failed${code}`, cause)
}
