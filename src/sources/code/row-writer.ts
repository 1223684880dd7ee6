/** One row of a resource in code as one line of row text, or what is wrong with it. */
import { type CodeResource, codeField } from '../../job/code-resource.ts'
import type { Layout, LeftOutRow } from '../../job/row-text.ts'
import { flatLeaves } from '../../job/shape.ts'
import type { CheckedPart, MaskName, Selected } from '../../job/spec.ts'
import { hashed, partial } from '../mask.ts'
import { WrongValue, writerOf } from './cells.ts'
import { assertScope, fits } from './scope.ts'

type Field = Extract<Selected, { kind: 'field' }>

interface Cell {
  readonly field: string
  readonly isRequired: boolean
  write(value: unknown): string
}

/** A row of another tenant is passed over: it is not the caller's to hear of. */
export type WrittenRow = { readonly line: string } | { readonly fault: Omit<LeftOutRow, 'row'> } | 'passed over'

export class RowWriter {
  readonly #part: CheckedPart
  readonly #cells: readonly Cell[]
  readonly #key: readonly Cell[]

  /** `maskKey` null: a field that is to be hashed fails. */
  constructor(resource: CodeResource, part: CheckedPart, layout: Layout, maskKey: string | null) {
    const cellOf = ({ column, mask }: Pick<Field, 'column' | 'mask'>): Cell => {
      const { type, required } = codeField(resource.fields[column] ?? 'any')
      const write = writerOf(type)
      return { field: column, isRequired: required, write: mask ? masked(write, mask, maskKey) : write }
    }
    assertScope(part.scope)
    this.#part = part
    const fields = fieldsOf(layout === 'flat' ? flatLeaves(part.select).map(({ leaf }) => leaf) : part.select)
    this.#cells = fields.map(cellOf)
    // A key that the caller may not see is not shown in the errors log either.
    const shown = new Set(fields.flatMap(({ column, mask }) => (mask ? [] : [column])))
    const { primaryKey } = part
    this.#key = primaryKey.every((column) => shown.has(column)) ? primaryKey.map((column) => cellOf({ column })) : []
  }

  write(row: unknown): WrittenRow {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      const found = row === null || row === undefined ? String(row) : Array.isArray(row) ? 'a list' : `a ${typeof row}`
      return { fault: { key: null, column: null, what: `a row must be an object, not ${found}` } }
    }
    let column: string | null = null
    const read = (field: string): unknown => {
      column = field
      return propertyOf(row, field)
    }
    try {
      if (!fits(this.#part.scope, read)) return 'passed over'
      const cells = this.#cells.map((cell) => {
        const value = read(cell.field)
        if (cell.isRequired && (value === null || value === undefined)) throw new WrongValue('it must be there and is not')
        return cell.write(value)
      })
      return { line: `[${cells.join(',')}]\n` }
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

function fieldsOf(leaves: readonly Selected[]): Field[] {
  return leaves.map((leaf) => {
    if (leaf.kind === 'field') return leaf
    throw new Error('a resource in code has no relations')
  })
}

/** The mask of the value's text in the file; a wrong value is found before it is masked. */
function masked(write: Cell['write'], mask: MaskName, maskKey: string | null): Cell['write'] {
  if (mask === 'hash' && maskKey === null) throw new Error('there is no key to hash with')
  return (value) => {
    const cell = write(value)
    if (cell === 'null' || mask === 'null') return 'null'
    const text = value instanceof Uint8Array ? value : cell.startsWith('"') ? String(JSON.parse(cell)) : cell
    return JSON.stringify(mask === 'partial' ? partial(text) : hashed(text, maskKey ?? ''))
  }
}
