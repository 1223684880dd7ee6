/** One row of a resource in code as one line of row text, or what is wrong with it. */
import { type CodeResource, codeField } from '../../job/code-resource.ts'
import type { Layout, LeftOutRow } from '../../job/row-text.ts'
import { flatLeaves } from '../../job/shape.ts'
import type { CheckedPart, Predicate, Selected } from '../../job/spec.ts'
import { WrongValue, writerOf } from './cells.ts'

interface Cell {
  readonly field: string
  readonly isRequired: boolean
  write(value: unknown): string
}

/** A row of another tenant is passed over: it is not the caller's to hear of. */
export type WrittenRow = { readonly line: string } | { readonly fault: Omit<LeftOutRow, 'row'> } | 'passed over'

export class RowWriter {
  readonly #cells: readonly Cell[]
  readonly #key: readonly Cell[]
  readonly #tenants: readonly { field: string; text: string }[]

  constructor(resource: CodeResource, part: CheckedPart, layout: Layout) {
    const cellOf = (field: string): Cell => {
      const { type, required } = codeField(resource.fields[field] ?? 'any')
      return { field, isRequired: required, write: writerOf(type) }
    }
    const leaves = layout === 'flat' ? flatLeaves(part.select).map(({ leaf }) => leaf) : part.select
    this.#cells = leaves.map((leaf) => cellOf(columnOf(leaf)))
    this.#key = part.primaryKey.map(cellOf)
    this.#tenants = tenantsOf(part.scope)
  }

  write(row: unknown): WrittenRow {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      const found = row === null ? 'null' : Array.isArray(row) ? 'a list' : `a ${typeof row}`
      return { fault: { key: null, column: null, what: `a row must be an object, not ${found}` } }
    }
    let column: string | null = null
    try {
      for (const { field, text } of this.#tenants) {
        column = field
        if (String(propertyOf(row, field)) !== text) return 'passed over'
      }
      let line = '['
      for (const cell of this.#cells) {
        column = cell.field
        const value = propertyOf(row, cell.field)
        if (cell.isRequired && (value === null || value === undefined)) throw new WrongValue('it must be there and is not')
        line += line === '[' ? cell.write(value) : `,${cell.write(value)}`
      }
      return { line: `${line}]\n` }
    } catch (error) {
      // Getters are the application's code: what they throw is not repeated.
      const what = error instanceof WrongValue ? error.message : 'its value could not be read'
      return { fault: { key: this.#keyOf(row), column, what } }
    }
  }

  /** As the errors log shows it; null where the key itself is wrong. */
  #keyOf(row: object): string | null {
    if (this.#key.length === 0) return null
    try {
      const texts = this.#key.map(({ field, write }) => {
        const value = propertyOf(row, field)
        if (value === null || value === undefined) throw new WrongValue('it is not there')
        return typeof value === 'string' ? value : write(value)
      })
      return texts.join(',')
    } catch {
      return null
    }
  }
}

function propertyOf(row: object, field: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[field]
}

function columnOf(leaf: Selected): string {
  if (leaf.kind === 'field') return leaf.column
  throw new Error('a resource in code has no relations')
}

/** The catalog scopes by one field that equals the tenant; anything else must not be taken for "all". */
function tenantsOf(scope: Predicate | null): { field: string; text: string }[] {
  if (scope === null) return []
  if (scope.op === 'eq') return [{ field: scope.column, text: scope.value.text }]
  throw new Error('a resource in code is scoped by one field')
}
