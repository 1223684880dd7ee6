/** Causes go to the log, so they must not carry what the other side's library attached to them. */

/** Name, code and text only, with every secret replaced; no stack, request or answer. */
export function quiet(thrown: unknown, secrets: readonly string[]): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const code = 'code' in error ? ` (${String(error.code)})` : ''
  let text = `${error.name}${code}: ${error.message}`
  for (const secret of secrets) if (secret !== '') text = text.replaceAll(secret, '***')
  const made = new Error(text.slice(0, 1_000))
  delete made.stack
  return made
}
