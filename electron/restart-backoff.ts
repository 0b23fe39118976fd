import type { Backoff } from '../src/base/index.ts'

/** An engine that lived this long was well; its next death starts the count anew. */
const provenAfterMs = 60_000

/** Waits before the engine is started again. */
export const restartBackoff: Backoff = { firstMs: 500, longestMs: 30_000 }

/** Deaths in a row, the one now included, after an engine that lived `livedMs`. */
export const consecutiveFailures = (before: number, livedMs: number): number =>
  livedMs >= provenAfterMs ? 1 : before + 1
