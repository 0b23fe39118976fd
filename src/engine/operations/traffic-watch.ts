import { enoughRequests, type Bin, type RecentFailures, type Sli } from '../../contract/index.ts'
import { countsOf, errorRatio, quantileMs } from '../canary/index.ts'
import { sleep, type Clock, type Heart } from '../core/index.ts'
import type { SteeredService } from '../deployments/index.ts'

/** How long counts are held in memory for screens; older ones are in the evidence of deployments. */
const heldMs = 30 * 60_000
const pollEveryMs = 1000
/** What an SLI on screen is taken over. */
export const sliWindowMs = 10_000
/** How far back requests are looked for until they are enough to speak of a share of them. */
const longestLookBackMs = 5 * 60_000

/** Follows what a router counts, for figures on screen. The judge reads its own bins. */
export class TrafficWatch {
  readonly #service: SteeredService
  readonly #clock: Clock
  readonly #changed: () => void
  #bins: Bin[] = []
  #cursor: string | null = null
  #address = ''

  constructor(service: SteeredService, clock: Clock, changed: () => void) {
    this.#service = service
    this.#clock = clock
    this.#changed = changed
  }

  /** Where the router listens; empty until it has answered. */
  get address(): string {
    return this.#address
  }

  /** Oldest first. */
  since(fromMs: number): Bin[] {
    return this.#bins.filter(({ atMs }) => atMs >= fromMs)
  }

  async run(signal: AbortSignal, heart: Heart): Promise<void> {
    while (!signal.aborted) {
      heart.beat()
      await this.#poll()
      await sleep(this.#clock, pollEveryMs, signal).catch(() => undefined)
    }
  }

  /** Of each release with requests in the window, and of all together under the empty name. */
  slis(nowMs: number): Record<string, Sli> {
    const newest = this.since(nowMs - sliWindowMs).filter(({ atMs }) => isNotAhead(atMs, nowMs))
    const releases = [...new Set(newest.map(({ releaseId }) => releaseId))]
    const whole = newest.map((bin) => ({ ...bin, releaseId: '' }))
    return Object.fromEntries([
      ['', sliOf(whole, '')],
      ...releases.map((id): [string, Sli] => [id, sliOf(newest, id)]),
    ])
  }

  /** The newest requests of a release: of the window of an SLI, and as far back as it takes for enough of them. Null of none. */
  failures(releaseId: string, nowMs: number): RecentFailures | null {
    let [requests, errors, sinceMs] = [0, 0, nowMs]
    for (const bin of this.#bins.toReversed()) {
      if (bin.releaseId !== releaseId || !isNotAhead(bin.atMs, nowMs)) continue
      const ageMs = nowMs - bin.atMs
      if (ageMs > longestLookBackMs || (ageMs > sliWindowMs && requests >= enoughRequests)) break
      requests += bin.requests
      errors += bin.errors
      sinceMs = bin.atMs
    }
    return requests === 0 ? null : { requests, errors, windowMs: Math.max(0, nowMs - sinceMs) }
  }

  async #poll(): Promise<void> {
    const { router, definition } = this.#service
    if (this.#address === '') {
      const declared = await router.declare(definition)
      if (!declared.ok) return
      this.#address = declared.value.address
    }
    const page = await router.bins(definition.name, this.#cursor)
    // Trouble with the router shows in the service's own view, which asks it too.
    if (!page.ok) return
    this.#cursor = page.value.cursor
    const oldestMs = this.#clock.nowMs() - heldMs
    const replaced = new Set(page.value.bins.map(keyOf))
    this.#bins = [
      ...this.#bins.filter((bin) => bin.atMs >= oldestMs && !replaced.has(keyOf(bin))),
      ...page.value.bins,
    ]
    this.#changed()
  }
}

const keyOf = ({ atMs, releaseId }: Bin): string => `${atMs} ${releaseId}`

/** Not counted before the clock was set back. */
const isNotAhead = (atMs: number, nowMs: number): boolean => atMs <= nowMs + sliWindowMs

function sliOf(bins: readonly Bin[], releaseId: string): Sli {
  const own = bins.filter((bin) => bin.releaseId === releaseId)
  const counts = countsOf(own, releaseId)
  const seconds = Math.max(1, new Set(own.map(({ atMs }) => atMs)).size)
  const newestMs = own.at(-1)?.atMs
  return {
    windowMs: sliWindowMs,
    requestsPerSecond: counts.requests / seconds,
    errorRatio: errorRatio(counts),
    p50Ms: quantileMs(counts, 0.5),
    p95Ms: quantileMs(counts, 0.95),
    p99Ms: quantileMs(counts, 0.99),
    inFlight: own.filter(({ atMs }) => atMs === newestMs).reduce((sum, bin) => sum + bin.inFlight, 0),
  }
}
