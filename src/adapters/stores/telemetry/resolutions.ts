/** How samples lie on disk: the distance of points and the stretch of time that one block holds. */
export interface Resolution {
  /** Distance of roll-up points; 0 for samples as taken. Names the resolution in the database. */
  stepMs: number
  /** A multiple of the coarser step below it, so that a block never straddles one. */
  spanMs: number
}

export const samples: Resolution = { stepMs: 0, spanMs: 600_000 }
export const minutes: Resolution = { stepMs: 60_000, spanMs: 6 * 3_600_000 }
export const hours: Resolution = { stepMs: 3_600_000, spanMs: 10 * 86_400_000 }

/** Finest first. */
export const resolutions = [samples, minutes, hours] as const

/** Start of the stretch of `spanMs` that `timeMs` lies in. */
export const floorTo = (timeMs: number, spanMs: number): number => Math.floor(timeMs / spanMs) * spanMs

export interface Retention {
  /** How long each resolution is kept. */
  samplesMs: number
  minutesMs: number
  hoursMs: number
  /** What the blocks of one host may take together. */
  bytesPerHost: number
}

const dayMs = 86_400_000
export const defaultRetention: Retention = {
  samplesMs: 7 * dayMs,
  minutesMs: 90 * dayMs,
  hoursMs: 3 * 365 * dayMs,
  bytesPerHost: 100_000_000,
}

export function keptMs(retention: Retention, resolution: Resolution): number {
  if (resolution === samples) return retention.samplesMs
  return resolution === minutes ? retention.minutesMs : retention.hoursMs
}
