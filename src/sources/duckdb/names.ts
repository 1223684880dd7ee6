/** Quoting for SQL text. Names come from the checked spec or from the configuration only, and are quoted whatever they are. */

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
