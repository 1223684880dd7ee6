/** Random numbers that are the same on every run of a test, so that a failure can be repeated from its seed. */

/** mulberry32 (public domain): 0 to below 1. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Whole numbers from 0 to below the one that is asked for. */
export function randomNumbers(seed: number): (below: number) => number {
  const random = seeded(seed)
  return (below) => Math.floor(random() * below)
}

export function pick<T>(list: readonly T[], random: () => number): T {
  const chosen = list[Math.floor(random() * list.length)]
  if (chosen === undefined) throw new Error('nothing to choose from')
  return chosen
}
