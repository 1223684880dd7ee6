/** The members of the objects that rows become, and of to-many relations in the cells of any format. */
import type { CellType, Shape } from '../job/row-text.ts'
import { type Lead, leadOf } from './leads.ts'
import { slotsOf } from './slots.ts'

/** Types whose text may come out as something else than a string, or is counted. */
const SPELLED_ANEW: ReadonlySet<CellType> = new Set(['json', 'timestamp', 'boolean', 'integer', 'decimal', 'float'])

/** A member of the objects to write, with all that can be worked out before the first row. */
export interface Member {
  readonly kind: 'value' | 'hidden' | 'one' | 'many'
  readonly type: CellType
  /** Text in it is a string and nothing else, whatever it says; asked for every cell, so kept ready. */
  readonly isPlain: boolean
  /** `line_items.price`, for the tally. */
  readonly name: string
  /** `"price":` */
  readonly lead: Lead
  readonly members: readonly Member[]
  /** How many cells of the row text belong to a to-one relation, beside the one that says whether it is there. */
  readonly slots: number
}

export function membersOf(shape: Shape, path = ''): Member[] {
  return shape.map((cell): Member => {
    const name = path + cell.name
    const lead = leadOf(`${JSON.stringify(cell.name)}:`)
    if (cell.kind === 'cell') {
      const isPlain = !SPELLED_ANEW.has(cell.type)
      return { kind: cell.hidden ? 'hidden' : 'value', type: cell.type, isPlain, name, lead, members: [], slots: 0 }
    }
    const members = membersOf(cell.cells, `${name}.`)
    const slots = cell.kind === 'one' ? slotsOf(cell.cells).length : 0
    return { kind: cell.kind, type: 'json', isPlain: false, name, lead, members, slots }
  })
}
