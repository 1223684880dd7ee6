/** Quoting for SQL text. Names come from the checked spec only, and are quoted whatever they are. */

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** For pragmas, which take no parameters. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
