/** What is kept with an export of its caller's rights, held against the rules of today: may this caller see it, have its files, may it be run. */
import { type Deed, mayOn } from '../job/scopes.ts'
import type { CheckedSpec, ResourceRules } from '../job/spec.ts'
import type { Caller } from './catalog.ts'
import type { Resource } from './resources.ts'
import { rulesOf } from './rules.ts'
import { coversRows, holds } from './scope.ts'
import { type SessionVariables, sameVariables } from './session-variables.ts'

export class KeptAccess {
  readonly #resources: ReadonlyMap<string, Resource>
  readonly #variablesOf: (source: string) => SessionVariables

  /** Of whole resources, whatever a caller may have of them. */
  constructor(resources: ReadonlyMap<string, Resource>, variablesOf: (source: string) => SessionVariables) {
    this.#resources = resources
    this.#variablesOf = variablesOf
  }

  /** Today's, of those that are offered. */
  rulesOf(names: readonly string[]): readonly ResourceRules[] {
    const offered = names.flatMap((name) => this.#resources.get(name) ?? [])
    return offered.map((resource) => rulesOf(resource, this.#variablesOf(resource.source)))
  }

  covers(spec: CheckedSpec, caller: Caller | null): boolean {
    const told = spec.sessionVariables ?? {}
    const variables = this.#variablesOf(spec.source)
    if (!sameVariables(variables, told, caller)) return false
    return reached(spec).every((name) => {
      const resource = this.#resources.get(name)
      const rows = (spec.access?.rows ?? []).filter((grant) => grant.resource === name)
      if (resource) return coversRows(resource, { tenant: kept(spec, name)?.tenant, rows }, caller)
      // Of what is no longer offered the rules of then hold, where they can still be looked at.
      const isTold = Object.keys(told).every((variable) => Object.hasOwn(variables, variable))
      return isTold && (caller === null || rows.every((grant) => holds(caller, grant)))
    })
  }

  permits(spec: CheckedSpec, caller: Caller, deed: Deed): boolean {
    const isHeld = (name: string): boolean => {
      const needsOwn = this.#resources.get(name)?.needsOwn ?? kept(spec, name)?.own ?? false
      return mayOn(caller.scopes, deed, { name, needsOwn })
    }
    if (!reached(spec).every(isHeld)) return false
    return deed !== 'download' || (spec.access?.scopes ?? []).every((scope) => caller.scopes.includes(scope))
  }

  outdated(spec: CheckedSpec): readonly string[] {
    return reached(spec).filter((name) => {
      const before = kept(spec, name)
      // None was kept by a Freight of before: then at least whose rows they are must be as it was.
      if (before === undefined) return !this.covers(spec, null)
      return this.rulesOf([name])[0]?.digest !== before.digest
    })
  }
}

function kept(spec: CheckedSpec, name: string): ResourceRules | undefined {
  return spec.access?.rules?.find(({ resource }) => resource === name)
}

function reached(spec: CheckedSpec): readonly string[] {
  return spec.access?.resources ?? spec.parts.map(({ resource }) => resource)
}
