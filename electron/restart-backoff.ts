const firstDelayMs = 250
const longestDelayMs = 30_000
/** An engine that lived this long was well; its next death starts the count anew. */
const provenAfterMs = 60_000

/** Delay before the restart after `failureCount` deaths in a row (1, 2, ...): doubles up to 30 s. */
export const restartDelayMs = (failureCount: number): number =>
  Math.min(longestDelayMs, firstDelayMs * 2 ** (failureCount - 1))

/** Deaths in a row, the one now included, after an engine that lived `livedMs`. */
export const failuresInARow = (before: number, livedMs: number): number =>
  livedMs >= provenAfterMs ? 1 : before + 1
