import { describe, expect, it } from 'vitest'
import { RowTally } from './tally.ts'

const logged = (row: number) => ({ row, key: String(row), what: 'invalid UTF-8 was replaced' })

describe('the tally of rows', () => {
  it('starts with nothing', () => {
    const tally = new RowTally('orders')
    expect(tally.results).toEqual({ successful: 0, warnings: 0, errors: 0 })
    expect(tally.changes).toEqual([])
    expect(tally.log).toEqual([])
  })

  it('counts each row once, also one with several changed cells, and the three sum to the rows read', () => {
    const tally = new RowTally('orders')
    tally.written(90)
    tally.cellChanged('note', 'invalid_utf8', () => logged(7))
    tally.cellChanged('name', 'invalid_utf8', () => logged(7))
    tally.rowWarned()
    tally.errors += 2
    const { successful, warnings, errors } = tally.results
    expect({ successful, warnings, errors }).toEqual({ successful: 89, warnings: 1, errors: 2 })
    expect(successful + warnings + errors).toBe(92)
  })

  it('counts changed cells by column and cause', () => {
    const tally = new RowTally('orders')
    for (const [column, cause] of [
      ['note', 'invalid_utf8'],
      ['note', 'formula_guarded'],
      ['note', 'invalid_utf8'],
      ['name', 'invalid_utf8'],
    ] as const) {
      tally.cellChanged(column, cause, () => logged(1))
    }
    expect(tally.changes).toEqual([
      { resource: 'orders', column: 'note', cause: 'invalid_utf8', cells: 2 },
      { resource: 'orders', column: 'note', cause: 'formula_guarded', cells: 1 },
      { resource: 'orders', column: 'name', cause: 'invalid_utf8', cells: 1 },
    ])
  })

  it('keeps columns apart whatever their names', () => {
    const tally = new RowTally('orders')
    tally.cellChanged('guarded x', 'invalid_utf8', () => logged(1))
    tally.cellChanged('__proto__', 'invalid_utf8', () => logged(1))
    tally.cellChanged('', 'invalid_utf8', () => logged(1))
    expect(tally.changes.map((change) => [change.column, change.cells])).toEqual([
      ['guarded x', 1],
      ['__proto__', 1],
      ['', 1],
    ])
  })

  it('logs the first hundred and asks for no more, while it counts on exactly', () => {
    const tally = new RowTally('orders')
    let asked = 0
    for (let row = 1; row <= 250; row += 1) {
      tally.cellChanged('note', 'invalid_utf8', () => {
        asked += 1
        return logged(row)
      })
    }
    expect(asked).toBe(100)
    expect(tally.log).toHaveLength(100)
    expect(tally.log[99]).toEqual({
      resource: 'orders',
      column: 'note',
      row: 100,
      key: '100',
      what: 'invalid UTF-8 was replaced',
    })
    expect(tally.changes[0]?.cells).toBe(250)
  })
})
