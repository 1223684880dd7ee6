/** The server's own log lines. Never a key, a link's signature or row data. */
import type { Logger } from 'pino'

/** Nothing logs headers on purpose; this is for the error that carries its request along. */
const SECRETS = ['authorization', 'x-api-key', 'freight-api-key', 'cookie', 'set-cookie'].flatMap((name) =>
  ['headers', '*.headers', '*.*.headers'].map((path) => `${path}["${name}"]`),
)

export function withoutSecrets(log: Logger): Logger {
  return log.child({}, { redact: { paths: SECRETS, censor: '[secret]' } })
}
