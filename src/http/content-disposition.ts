/** The name a downloaded file is saved under (RFC 6266; the extended form RFC 8187, formerly 5987). */

/**
 * `attachment` with a fallback that every client can read and no file system minds, and the true name beside it where the two
 * differ. Nothing of the name can end the parameter or the header.
 */
export function attachment(name: string): string {
  const fallback = safeName(name)
  const header = `attachment; filename="${fallback}"`
  return fallback === name ? header : `${header}; filename*=UTF-8''${extended(name)}`
}

/** Letters, digits, dot, dash, underscore; no leading dot or dash; at most 150 characters, the ending kept. */
function safeName(name: string): string {
  const safe = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+/, '')
  if (safe === '') return 'export'
  return safe.length > 150 ? `${safe.slice(0, 110)}${safe.slice(-40)}` : safe
}

/** Percent-encoded except attr-char (RFC 8187, section 3.2.1). Path separators and control characters are no part of a name. */
function extended(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const clean = name.replace(/[\u0000-\u001f\u007f/\\]+/g, '_').toWellFormed()
  return encodeURIComponent([...clean].slice(0, 200).join('')).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
