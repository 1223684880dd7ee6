/** What a database's own row level security is told of the caller: variables of the session that reads. */
import { claimValues } from '../job/claims.ts'
import { FreightError } from '../job/errors.ts'
import type { Caller } from './catalog.ts'

/** Variable to claim; `tenant` is the caller's tenant, whatever their claims say. */
export type SessionVariables = Readonly<Record<string, string>>

/** A list is written with commas between. Throws FORBIDDEN where a claim is missing: a policy must never be asked about nobody. */
export function sessionVariables(variables: SessionVariables, caller: Caller | null): Record<string, string> {
  if (caller === null) return {}
  return Object.fromEntries(
    Object.entries(variables).map(([name, claim]) => {
      const values = claim === 'tenant' ? [caller.tenant] : claimValues(caller.claims, claim)
      // A comma inside a value would make two of one.
      if (values && (values.length === 1 || !values.some((value) => String(value).includes(',')))) return [name, values.join(',')]
      throw new FreightError(
        'FORBIDDEN',
        `Rows of this source are given out by the claim "${claim}", of which this caller has no value that fits. Ask the operator for one.`,
      )
    }),
  )
}

/** Whether the caller would be told of in the same words; null, whoever it was: whether anything was told of each. */
export function sameVariables(variables: SessionVariables, stored: SessionVariables, caller: Caller | null): boolean {
  if (caller === null) return Object.keys(variables).every((name) => Object.hasOwn(stored, name))
  try {
    const now = sessionVariables(variables, caller)
    return Object.entries(now).every(([name, value]) => stored[name] === value)
  } catch (error) {
    if (error instanceof FreightError) return false
    throw error
  }
}
