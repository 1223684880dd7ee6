/** The catalog's contract: what may be exported, and the check of a request against it. */
import type { CellType } from '../job/row-text.ts'
import type { CheckedSpec, ExportRequest } from '../job/spec.ts'

interface PublicField {
  readonly name: string
  readonly type: CellType
  readonly nullable: boolean
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

export interface Catalog {
  resources(): readonly PublicResource[]
  /**
   * Every name, predicate, value and option checked and resolved; throws a 422-class FreightError that names the place
   * (JSON Pointer) and lists what is allowed. `tenant` decides whose rows; null (the command line, where the person owns the
   * database) adds no scope.
   */
  check(request: ExportRequest, tenant: string | null): CheckedSpec
}
