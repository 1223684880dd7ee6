/** What is asked of a resource and of what it is related to, as a tree in the making. */
import type { Field, Relation, Resource } from './resources.ts'

export interface Leaf {
  readonly field: Field
  readonly position: number
  readonly title: string | null
}

/** A relation in the making; the main resource is the root. */
export interface Branch {
  readonly resource: Resource
  readonly via: Relation | null
  readonly position: number
  readonly leaves: Map<string, Leaf>
  readonly branches: Map<string, Branch>
  /** Names of leaves and branches as they were first asked for; no leaf is called like a branch. */
  readonly order: string[]
}
