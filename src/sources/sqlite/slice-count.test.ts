import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { SliceCount } from './slice-count.ts'

const SLICE = {
  ends: 'select (select min(id) from t), (select max(id) from t)',
  count: 'select count(*) from t where id >= :from and id <= :to and ((id & 1023) or freight_tick())',
}

function tableWith(ids: Iterable<bigint>, tick: () => void = () => {}): Database.Database {
  const db = new Database(':memory:')
  db.function('freight_tick', () => {
    tick()
    return 1
  })
  db.exec('create table t (id integer primary key)')
  const insert = db.prepare('insert into t values (?)')
  for (const id of ids) insert.run(id)
  return db
}

function* numbers(from: bigint, count: number, step = 1n): Iterable<bigint> {
  for (let index = 0n; index < BigInt(count); index += 1n) yield from + index * step
}

function countAll(slices: SliceCount): number {
  let rounds = 0
  while (!slices.next()) rounds += 1
  return rounds
}

describe('counting by slices of the key', () => {
  it('counts no row, one row, and rows at both ends of what a key can be', () => {
    for (const ids of [[], [7n], [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n]]) {
      const slices = new SliceCount(tableWith(ids), SLICE)
      countAll(slices)
      expect(slices.rows).toBe(ids.length)
    }
  })

  it('gets over gaps in a few slices, and counts what lies close together behind them', () => {
    const ids = [...numbers(-(2n ** 62n), 10), ...numbers(0n, 1000, 2n ** 40n), ...numbers(2n ** 62n, 100_000)]
    const slices = new SliceCount(tableWith(ids), SLICE)
    expect(countAll(slices)).toBeLessThan(5_000)
    expect(slices.rows).toBe(ids.length)
  })

  it('tries a slice that was stopped again, narrower, and counts nothing twice', () => {
    let left = 3
    const tick = (): void => {
      left -= 1
      if (left % 5 === 0) throw new Error('stopped')
    }
    const slices = new SliceCount(tableWith(numbers(1n, 200_000), tick), SLICE)
    let stops = 0
    for (;;) {
      try {
        if (slices.next()) break
      } catch {
        stops += 1
      }
    }
    expect(stops).toBeGreaterThan(0)
    expect(slices.rows).toBe(200_000)
  })
})
