/** The singular of an English table name, by its ending alone; the configuration names a relation where this is wrong. */

const ENDINGS: readonly (readonly [RegExp, string])[] = [
  [/([^aeiou])ies$/i, '$1y'],
  [/(ss|x|ch|sh)es$/i, '$1'],
  // `status` and its like stay; these are the plurals in `us` that tables are called by.
  [/(sku|menu)s$/i, '$1'],
  [/([^aeious]|[aeo])s$/i, '$1'],
]

export function singular(name: string): string {
  for (const [ending, replacement] of ENDINGS) if (ending.test(name)) return name.replace(ending, replacement)
  return name
}
