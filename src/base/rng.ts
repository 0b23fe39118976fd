/** Where the engine takes its chance from. */
export interface Rng {
  /** Uniform in [0, 1). */
  next(): number
  /** Lower-case hexadecimal, two digits a byte; unpredictable in production, repeatable when seeded. */
  hex(byteCount: number): string
}

/**
 * A seeded generator (mulberry32) for tests and simulations: the same seed gives the same run.
 * Not for secrets.
 */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    hex: (byteCount) =>
      Array.from({ length: byteCount }, () =>
        Math.floor(next() * 256)
          .toString(16)
          .padStart(2, '0'),
      ).join(''),
  }
}
