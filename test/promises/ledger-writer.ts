/**
 * A team's application, as a process of its own: it writes to the ledger without a pause and never leaves it inconsistent
 * between two transactions. Usage: node ledger-writer.ts DATABASE. A line on standard input ends it; it then prints what it did.
 */
import Sqlite from 'better-sqlite3'
import { createRandom } from '../../src/cli/demo/random.ts'
import { BASE_ROWS, MOVED_BY } from './ledger.ts'

const [, , path = ''] = process.argv
const random = createRandom('ledger writer')
const db = new Sqlite(path, { timeout: 60_000 })
db.pragma('synchronous = off')

const addEntry = db.prepare('insert into entries (id, uid, place, amount) values (?, ?, ?, ?)')
const addLine = db.prepare('insert into lines (uid, entry_id) values (?, ?)')
const transfer = db.prepare('update entries set amount = amount + ? where uid = ?')
const moveEntry = db.prepare('update entries set id = ?, place = ? where id = ?')
const moveLine = db.prepare('update lines set entry_id = ? where entry_id = ?')
const dropEntry = db.prepare('delete from entries where id = ?')
const base = (): number => random.between(1, BASE_ROWS)

let ledger = db.prepare("select count(*) from entries where uid like 'ledger-%'").pluck().get() as number
const writes = [
  /** Row k of both tables, or of none. */
  () => {
    ledger += 1
    const id = BASE_ROWS + ledger
    addEntry.run(id, `ledger-${ledger}`, random.between(0, 1e9), 0)
    addLine.run(`ledger-${ledger}`, id)
  },
  /** The sum stays. */
  () => {
    const amount = random.between(1, 100)
    transfer.run(amount, `base-${base()}`)
    transfer.run(-amount, `base-${base()}`)
  },
  /** To the far end of the key and of the sort order, or back. */
  () => {
    const number = base()
    const [from, to] = random.chance(0.5) ? [number, number + MOVED_BY] : [number + MOVED_BY, number]
    moveEntry.run(to, random.between(0, 1e9), from)
    moveLine.run(to, from)
  },
  /** Was never there. */
  () => {
    addEntry.run(MOVED_BY * 3, 'ghost', 0, 1e9)
    dropEntry.run(MOVED_BY * 3)
  },
].map((write) => db.transaction(write))

let transactions = 0
let longestMs = 0
let isOver = false
process.stdin.once('data', () => {
  isOver = true
})

/** About 300 transactions a second, a few at a time. */
const timer = setInterval(() => {
  for (const write of writes) {
    const startedAt = performance.now()
    write.immediate()
    longestMs = Math.max(longestMs, performance.now() - startedAt)
    transactions += 1
  }
  if (!isOver) return
  clearInterval(timer)
  db.close()
  process.stdout.write(JSON.stringify({ transactions, longestMs }))
  process.stdin.destroy()
}, 10)
process.stdout.write('\n')
