/** Seeded random numbers for the sample data: the same seed gives the same rows on every machine and Node version. */

export interface Random {
  /** 0 to below 1. */
  next(): number
  /** A whole number from `low` to `high`, both inclusive. */
  between(low: number, high: number): number
  /** True in `share` of the calls. */
  chance(share: number): boolean
  pick<T>(list: readonly T[]): T
  digits(count: number): string
  /** A 64-bit integer of either sign, mostly far beyond 2^53. */
  int64(): bigint
  /** `version` is the digit that RFC 9562 puts there. */
  uuid(version: 4 | 7, atMs: number): string
}

/** FNV-1a: a table's name as its seed, so that a change to one table leaves the others as they are. */
function seedOf(name: string): number {
  let hash = 0x811c9dc5
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}

export function createRandom(name: string): Random {
  let state = seedOf(name)
  // mulberry32: 32 bits of state are plenty for rows that only have to look different.
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const next = (): number => uint32() / 0x1_0000_0000
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  const hex = (value: number, length: number): string => value.toString(16).padStart(length, '0')
  return {
    next,
    between,
    chance: (share) => next() < share,
    pick(list) {
      const picked = list[Math.floor(next() * list.length)]
      if (picked === undefined) throw new Error('Nothing to pick from an empty list.')
      return picked
    },
    digits(count) {
      let text = ''
      while (text.length < count) text += between(0, 9)
      return text
    },
    int64: () => BigInt.asIntN(64, (BigInt(uint32()) << 32n) | BigInt(uint32())),
    uuid(version, atMs) {
      const time = version === 7 ? hex(atMs, 12) : hex(uint32(), 8) + hex(between(0, 0xffff), 4)
      const middle = `${version}${hex(between(0, 0xfff), 3)}-${hex(between(0x8000, 0xbfff), 4)}`
      return `${time.slice(0, 8)}-${time.slice(8)}-${middle}-${hex(uint32(), 8)}${hex(between(0, 0xffff), 4)}`
    },
  }
}

/** `2026-03-01 09:30:00.123456`, UTC: the form SQLite's own date functions write, with microseconds. */
export function timestamp(atMs: number, microseconds: number): string {
  const text = new Date(atMs).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 23)}${String(microseconds % 1000).padStart(3, '0')}`
}

export function date(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10)
}
