/** What all commands ask of their arguments, beyond what commander checks by itself. */
import { type Command, InvalidArgumentError } from 'commander'

/** Exit codes, the same for every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

/**
 * Of two equal flags commander takes the last without a word; what was meant is unknown, so it is refused.
 * To be called when the command has all its options.
 */
export function refuseRepeats(command: Command, repeatable: readonly string[] = []): void {
  const seen = new Set<string>()
  for (const option of command.options) {
    if (repeatable.includes(option.name())) continue
    command.on(`option:${option.name()}`, () => {
      if (seen.has(option.name())) command.error(`error: option '${option.flags}' was given twice`)
      seen.add(option.name())
    })
  }
}

/** An option's parser: a whole number from `low` to `high`. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= low && value <= high)) throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`)
    return value
  }
}

/** An option's parser: `a,b.c` as a list. */
export function commaList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('Give names with one comma between them.')
  return names
}

/** An option's parser: any text but none. */
export function someText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.')
  return text
}
