import type { HealthProbe } from '../../contract/index.ts'
import { isHung, provenMs } from './restart-policy.ts'

type Rule = Pick<HealthProbe, 'rise' | 'fall' | 'restartAfterMs'>

/** Tracks the health of one process from its health checks. Times are monotonic, ms. */
export class CheckedHealth {
  state: 'starting' | 'healthy' | 'unhealthy' = 'starting'
  /** Why it is not healthy, from the last failed check; empty without one. */
  reason = ''
  /** Time of the last good check, or of the start before the first one. */
  #wellMs: number
  #healthySinceMs: number | null = null
  #successes = 0
  #misses = 0

  /** `wasHealthy`: whether an earlier edge has seen it healthy. */
  constructor(startedMs: number, wasHealthy: boolean) {
    this.#wellMs = startedMs
    if (!wasHealthy) return
    this.state = 'healthy'
    this.#healthySinceMs = startedMs
  }

  /** Whether it was healthy long enough that later failures have nothing to do with its start. */
  get isProven(): boolean {
    return this.#healthySinceMs !== null && this.#wellMs - this.#healthySinceMs > provenMs
  }

  isHungAt(nowMs: number, rule: Rule): boolean {
    return this.state !== 'healthy' && isHung(this.state, nowMs - this.#wellMs, rule)
  }

  /** Takes one check; `trouble` is null for a good one. Returns what it changed. */
  take(trouble: string | null, { rise, fall }: Rule, nowMs: number): 'rose' | 'fell' | 'reason' | null {
    const before = this.reason
    if (trouble === null) {
      this.#misses = 0
      this.#successes += 1
      this.#wellMs = nowMs
      if (this.state === 'healthy' || this.#successes < rise) return null
      this.state = 'healthy'
      this.reason = ''
      this.#healthySinceMs = nowMs
      return 'rose'
    }
    this.#successes = 0
    this.#misses += 1
    if (this.state === 'starting') this.reason = trouble
    else if (this.#misses >= fall) {
      this.reason = trouble
      if (this.state === 'healthy') {
        this.state = 'unhealthy'
        return 'fell'
      }
    }
    return this.reason === before ? null : 'reason'
  }
}
