/** The cells of a row as they lie in line, to-one relations opened: what the row text has, whatever the format makes of it. */
import type { CellType, Shape, ShapeCell } from '../job/row-text.ts'
import { COMMA, Cursor, enterCell, OPEN_BRACKET, QUOTE, skipCell } from './cells.ts'
import { decodeString } from './strings.ts'

export interface Slot {
  /** `customer.email`; of a to-one relation's own cell the relation's name. */
  readonly name: string
  /** `present`: the cell that says whether a to-one relation's row is there. */
  readonly kind: 'cell' | 'present' | 'many'
  readonly type: CellType
  readonly hidden: boolean
  /** Part of the row's own key, which the errors log names. */
  readonly key: boolean
}

/** Whether the cell is in the file at all; the keys of a selection without them are read, for the errors log. */
export function isVisible(cell: ShapeCell): boolean {
  return !(cell.kind === 'cell' && cell.hidden)
}

export function slotsOf(shape: Shape): Slot[] {
  return shape.flatMap((cell): Slot[] => {
    const { name } = cell
    if (cell.kind === 'cell') return [{ name, kind: 'cell', type: cell.type, hidden: cell.hidden, key: cell.key }]
    if (cell.kind === 'many') return [{ name, kind: 'many', type: 'json', hidden: false, key: false }]
    const inner = slotsOf(cell.cells).map((slot) => ({ ...slot, name: `${name}.${slot.name}`, key: false }))
    return [{ name, kind: 'present', type: 'boolean', hidden: false, key: false }, ...inner]
  })
}

/** The text of the key cells of the row that begins at `start`, joined by commas; null where the row has no key. */
export function keyOfRow(bytes: Uint8Array, start: number, slots: readonly Slot[]): string | null {
  if (!slots.some((slot) => slot.key)) return null
  const cursor = new Cursor()
  cursor.src = bytes
  cursor.i = start
  const texts: string[] = []
  for (const [index, slot] of slots.entries()) {
    const first = enterCell(cursor, index === 0 ? OPEN_BRACKET : COMMA)
    const from = cursor.i
    skipCell(cursor)
    if (!slot.key) continue
    texts.push(first === QUOTE ? textOf(bytes, from, cursor.i) : Buffer.from(bytes.subarray(from, cursor.i)).toString())
  }
  return texts.join(',')
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  const cursor = new Cursor()
  cursor.src = bytes
  cursor.i = from + 1
  cursor.out = new Uint8Array(to - from)
  decodeString(cursor)
  return Buffer.from(cursor.out.subarray(0, cursor.p)).toString()
}
