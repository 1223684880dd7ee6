/**
 * The offered resources as one caller has them: a resource or field that asks for a scope they do not hold does not exist for them, and a mask
 * that they are exempt from is gone. Everything else in this room then works on that, so nothing can be reached another way round: not as field,
 * filter, sort or include, and no message names it.
 */
import { type Deed, mayOn } from '../job/scopes.ts'
import type { Caller } from './catalog.ts'
import type { Field, Resource } from './resources.ts'

/** Callers with the same scopes share one; beyond this many kinds of caller they are made anew. */
const MOST_KEPT = 500

export class Restricted {
  readonly #resources: ReadonlyMap<string, Resource>
  /** Scopes that make any difference here. */
  readonly #telling: ReadonlySet<string>
  readonly #kept = new Map<string, ReadonlyMap<string, Resource>>()

  constructor(resources: ReadonlyMap<string, Resource>) {
    this.#resources = resources
    const ofFields = [...resources.values()].flatMap(({ fields }) =>
      [...fields.values()].flatMap(({ needs, unmaskedWith }) => [needs ?? [], unmaskedWith ?? []].flat()),
    )
    this.#telling = new Set(ofFields)
  }

  /** By name: what the caller may do any of the `deeds` with. A null caller, the owner of the database, has all, unmasked. */
  for(caller: Caller | null, deeds: readonly Deed[]): ReadonlyMap<string, Resource> {
    const telling = caller?.scopes.filter((scope) => scope.startsWith('exports:') || this.#telling.has(scope)) ?? null
    const key = JSON.stringify([telling && [...new Set(telling)].sort(), deeds])
    const kept = this.#kept.get(key)
    if (kept) return kept
    const made = restrict(this.#resources, telling, deeds)
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear()
    this.#kept.set(key, made)
    return made
  }
}

function restrict(
  resources: ReadonlyMap<string, Resource>,
  scopes: readonly string[] | null,
  deeds: readonly Deed[],
): ReadonlyMap<string, Resource> {
  const visible = new Map<string, Resource>()
  for (const [name, resource] of resources) {
    if (scopes && !deeds.some((deed) => mayOn(scopes, deed, resource))) continue
    visible.set(name, { ...resource, fields: fieldsFor(resource, scopes), relations: new Map() })
  }
  for (const [name, copy] of visible) {
    for (const relation of resources.get(name)?.relations.values() ?? []) {
      const target = visible.get(relation.target.name)
      if (target) copy.relations.set(relation.name, { ...relation, target })
    }
  }
  return visible
}

function fieldsFor({ fields }: Resource, scopes: readonly string[] | null): Map<string, Field> {
  const own = new Map<string, Field>()
  for (const field of fields.values()) {
    if (scopes && field.needs !== null && !scopes.includes(field.needs)) continue
    const isExempt = scopes === null || (field.unmaskedWith !== null && scopes.includes(field.unmaskedWith))
    // What was not masked anyway asks for nothing.
    own.set(field.name, {
      ...field,
      mask: isExempt ? null : field.mask,
      unmaskedWith: field.mask && isExempt ? field.unmaskedWith : null,
    })
  }
  return own
}
