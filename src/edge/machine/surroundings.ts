import type { Clock, Log, Rng } from '../../base/index.ts'

/** What every part of the edge is given. */
export interface Surroundings {
  clock: Clock
  rng: Rng
  log: EdgeLog
}

/** Structured log of the edge itself, not of what it runs. */
export type EdgeLog = Pick<Log, 'info' | 'warn' | 'error'>
