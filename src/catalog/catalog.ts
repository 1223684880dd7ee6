/** The catalog's contract: what may be exported, and the check of a request against it. */
import type { CellType } from '../job/row-text.ts'
import type { Deed } from '../job/scopes.ts'
import type { CheckedSpec, ExportRequest, MaskName } from '../job/spec.ts'

interface PublicField {
  readonly name: string
  readonly type: CellType
  readonly nullable: boolean
  /** What the caller gets in place of its values; absent for the values themselves. A masked field is no filter and no sort key. */
  readonly mask?: MaskName
}

interface PublicRelation {
  readonly name: string
  readonly resource: string
  readonly kind: 'one' | 'many'
}

export interface PublicResource {
  readonly name: string
  readonly fields: readonly PublicField[]
  readonly relations: readonly PublicRelation[]
  /** Field names. */
  readonly primaryKey: readonly string[]
  readonly defaultSort: readonly string[]
  readonly maxRows: number | null
  readonly retentionMs: number
}

/** As much of who is asking as decides what they get. */
export interface Caller {
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
}

export interface Catalog {
  /** Those that the caller may do anything with, with the fields that they may have; null for all. */
  resources(caller: Caller | null): readonly PublicResource[]
  /**
   * Every name, predicate, value and option checked and resolved; throws a 422-class FreightError that names the place
   * (JSON Pointer) and lists what is allowed. The caller decides whose rows, which fields and what is masked, and what they may not have
   * does not exist for them; null (the command line, where the person owns the database) narrows nothing. Throws FORBIDDEN where rows are given out
   * by a claim that the caller does not have.
   */
  check(request: ExportRequest, caller: Caller | null): CheckedSpec
  /** Whether there is anything that some callers of a tenant may see and others may not: rows given out by claims, resources by scopes of their own. */
  narrows(): boolean
  /**
   * Whether every row in an export of this spec may be seen by the caller, by today's rules. Null: by whoever it was made for, so only the rules
   * are compared, not the values of claims.
   */
  covers(spec: CheckedSpec, caller: Caller | null): boolean
  /** Whether the caller's scopes allow the deed on this resource; false for one that is not offered. */
  allows(resource: string, caller: Caller, deed: Deed): boolean
  /** Whether the caller's scopes allow the deed on every resource of the spec, and for a download every field. */
  permits(spec: CheckedSpec, caller: Caller, deed: Deed): boolean
  /** Resources of the spec that give out other rows or values today than when it was checked, or are no longer offered. None: it may be read as it stands. */
  outdated(spec: CheckedSpec): readonly string[]
}
