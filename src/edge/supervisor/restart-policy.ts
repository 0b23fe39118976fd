import type { Backoff } from '../../base/index.ts'
import type { HealthProbe } from '../../contract/index.ts'

/** Waits between restarts of an instance with consecutive failures. */
export const restartBackoff: Backoff = { firstMs: 500, longestMs: 30_000 }

/** An instance that was healthy for this long resets its backoff. */
export const provenMs = 30_000

/** A program may take this many times longer to start than it may be unhealthy later. */
const startFactor = 5

/**
 * Whether an instance that is alive but fails its health check should be restarted: it was unhealthy for
 * `restartAfterMs`, or never healthy for five times as long. `unwellMs` counts from its start, or from its last good
 * check.
 */
export function isHung(
  state: 'starting' | 'unhealthy',
  unwellMs: number,
  { restartAfterMs }: Pick<HealthProbe, 'restartAfterMs'>,
): boolean {
  if (restartAfterMs === null) return false
  return unwellMs >= restartAfterMs * (state === 'starting' ? startFactor : 1)
}

/** A reason that may repeat: "over its memory limit of 200 MB 5 times in a row". */
export const repeated = (reason: string, times: number): string =>
  times > 1 ? `${reason} ${times} times in a row` : reason

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
