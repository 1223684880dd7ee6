/** The columns of a worksheet: how the cells of each are read, and what each begins with. */
import type { CellType, Shape } from '../../job/row-text.ts'
import type { Output } from '../../job/spec.ts'
import { type Member, membersOf } from '../members.ts'
import { bytesOf } from './cell-markup.ts'
import { columnName } from './sheet-xml.ts'

const NUMERIC: ReadonlySet<CellType> = new Set(['integer', 'decimal', 'float'])

export interface Column {
  readonly kind: 'hidden' | 'text' | 'many'
  readonly name: string
  readonly reading: 'text' | 'boolean' | 'date' | 'time' | 'number'
  readonly member: Member
  /** `<c r="AB` */
  readonly lead: Uint8Array
  /** Place among the visible ones. */
  readonly at: number
}

export function columnsOf(shape: Shape, output: Output): Column[] {
  let visible = 0
  return membersOf(shape).map((member): Column => {
    const kind = member.kind === 'value' ? 'text' : member.kind
    if (kind === 'one') throw new Error('a to-one relation lies open in the flat layout')
    const at = kind === 'hidden' ? -1 : visible++
    const lead = bytesOf(`<c r="${columnName(at)}`)
    return { kind, name: member.name, reading: readingOf(member.type, output), member, lead, at }
  })
}

function readingOf(type: CellType, output: Output): Column['reading'] {
  if (type === 'boolean') return 'boolean'
  if (output.times === 'native' && type === 'date') return 'date'
  if (output.times === 'native' && type === 'timestamp') return 'time'
  return NUMERIC.has(type) ? 'number' : 'text'
}
