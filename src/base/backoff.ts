export interface Backoff {
  /** Longest wait after the first failure, ms. */
  firstMs: number
  /** Longest wait ever, ms. */
  longestMs: number
}

/**
 * Wait after `failures` failures in a row (1, 2, ...), ms: doubles from `firstMs` to `longestMs`. Half of it is jitter
 * (`uniform` in [0, 1)), so that parties which failed together do not retry together.
 */
export const backoffMs = (failures: number, { firstMs, longestMs }: Backoff, uniform: number): number =>
  Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (0.5 + uniform / 2)
