const firstMs = 500
const longestMs = 30_000

/**
 * Wait before the restart that follows `failures` failures in a row, ms: doubles from 0.5 s to 30 s; half of it is
 * chance (`uniform` in [0, 1)), so that instances which fell together do not rise together.
 */
export const restartDelayMs = (failures: number, uniform: number): number =>
  Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (0.5 + uniform / 2)
