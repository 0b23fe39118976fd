import { sleep, type Clock } from '../../base/index.ts'
import {
  abandonedRatio,
  decided,
  enoughRequests,
  errorRatio,
  failures,
  received,
  type Bin,
  type RecentFailures,
  type RecentLatency,
  type Sli,
} from '../../contract/index.ts'
import { compactBins, countsOf, measured, quantileMs } from '../canary/index.ts'
import { type Heart } from '../core/index.ts'
import type { UnitOfWork } from '../core/index.ts'
import type { SteeredService } from '../deployments/index.ts'
import type { TrafficChange, TrafficStore } from './ports.ts'
import { isSlower, UsualLatency } from './usual-latency.ts'

/** How long counts of each second are held in memory, for screens that look closely. */
const heldMs = 30 * 60_000
/** How long sums of each minute are held, and stored; older counts are in the evidence of deployments. */
const heldMinutesMs = 6 * 3_600_000
const minuteMs = 60_000
/** After this no further counts of a minute are expected. */
const lateMs = 10_000
/** Shorter than an edge holds its counts: what was not stored when the engine died is read from there again. */
const storeEveryMs = 5 * minuteMs
const pollEveryMs = 1000
/** What an SLI on screen is taken over. */
const sliWindowMs = 10_000
/** How far back requests are looked for until they are enough to speak of a share of them. */
const longestLookBackMs = 5 * 60_000

/** A rate is a mean over this long, and over no less than the shortest. */
const rateWindowMs = 5 * 60_000
const shortestRateMs = 20_000
/** What the latency of now is taken over. */
const latencyWindowMs = 2 * 60_000

/** Where minutes are kept. */
export interface TrafficStores {
  work: UnitOfWork<TrafficChange>
  traffic: TrafficStore
}

export interface TrafficWatchParts {
  clock: Clock
  stores: TrafficStores
  /** There are new counts. */
  changed: () => void
}

/** Follows what a router counts, for figures on screen. The judge reads its own bins. */
export class TrafficWatch {
  readonly #service: SteeredService
  readonly #parts: TrafficWatchParts
  readonly #clock: Clock
  #bins: Bin[] = []
  /** Sums of whole minutes, those that `#bins` still has by second included. */
  #minutes: Bin[] = []
  /** Minutes before this one are in `#minutes`. */
  #summedToMs = -Infinity
  #unstored: Bin[] = []
  readonly #usual = new UsualLatency()
  #storedAtMs = -Infinity
  #cursor: string | null = null
  #address = ''
  /** Wall time from which bins are complete; null before the first answer. */
  #watchedSinceMs: number | null = null

  constructor(service: SteeredService, parts: TrafficWatchParts) {
    this.#service = service
    this.#parts = parts
    this.#clock = parts.clock
  }

  /** Where the router listens; empty until it has answered. */
  get address(): string {
    return this.#address
  }

  /** Oldest first: sums of a minute, then counts of each second; all of them as sums of `stepMs` where that is given. */
  since(fromMs: number, stepMs?: number): Bin[] {
    const oldestMs = this.#bins[0]?.atMs ?? Infinity
    const found = (fromMs < oldestMs ? this.#held(oldestMs) : this.#bins).filter(({ atMs }) => atMs >= fromMs)
    return stepMs === undefined ? found : compactBins(found, stepMs)
  }

  async run(signal: AbortSignal, heart: Heart): Promise<void> {
    await this.#recall()
    this.#storedAtMs = this.#clock.monotonicMs()
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
    let [requests, errors, abandoned, sinceMs] = [0, 0, 0, nowMs]
    for (const bin of this.#bins.toReversed()) {
      if (bin.releaseId !== releaseId || !isNotAhead(bin.atMs, nowMs)) continue
      const ageMs = nowMs - bin.atMs
      if (ageMs > longestLookBackMs || (ageMs > sliWindowMs && requests + abandoned >= enoughRequests)) break
      requests += decided(bin)
      errors += failures(bin)
      abandoned += bin.abandoned
      sinceMs = bin.atMs
    }
    if (requests + abandoned === 0) return null
    return { requests, errors, abandoned, windowMs: Math.max(0, nowMs - sinceMs) }
  }

  /** Requests to the service a second, abandoned ones included, over the last minutes; null while too little was seen. */
  requestsPerSecond(nowMs: number): number | null {
    const watchedMs = Math.min(rateWindowMs, this.#watchedSinceMs === null ? 0 : nowMs - this.#watchedSinceMs)
    if (watchedMs < shortestRateMs) return null
    const bins = this.since(nowMs - watchedMs).filter(({ atMs }) => isNotAhead(atMs, nowMs))
    return bins.reduce((sum, bin) => sum + received(bin), 0) / (watchedMs / 1000)
  }

  /**
   * The p95 of a release in the last two minutes beside what is usual for it; null of too few requests.
   */
  latency(releaseId: string, nowMs: number): RecentLatency | null {
    const usual = this.#usual.of(releaseId)
    const lately = countsOf(
      this.#bins.filter(({ atMs }) => atMs >= nowMs - latencyWindowMs && isNotAhead(atMs, nowMs)),
      releaseId,
    )
    if (!usual || measured(lately) < enoughRequests) return null
    const p95Ms = quantileMs(lately, 0.95)
    const usualP95Ms = quantileMs(usual, 0.95)
    if (p95Ms === null || usualP95Ms === null) return null
    return { p95Ms, windowMs: latencyWindowMs, usualP95Ms, isSlower: isSlower(lately, usual) }
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
    this.#watchedSinceMs ??= Math.min(this.#clock.nowMs(), page.value.bins[0]?.atMs ?? Infinity)
    const oldestMs = this.#clock.nowMs() - heldMs
    const replaced = new Set(page.value.bins.map(keyOf))
    this.#bins = [
      ...this.#bins.filter((bin) => bin.atMs >= oldestMs && !replaced.has(keyOf(bin))),
      ...page.value.bins,
    ]
    this.#sumUp()
    if (this.#clock.monotonicMs() - this.#storedAtMs >= storeEveryMs) await this.#store()
    this.#parts.changed()
  }

  /** The sums of minutes up to the one of which seconds begin, and the seconds of all minutes after it. */
  #held(oldestMs: number): Bin[] {
    const sums = this.#minutes.filter(({ atMs }) => minuteOf(atMs) <= minuteOf(oldestMs))
    const isSummed = sums.some(({ atMs }) => minuteOf(atMs) === minuteOf(oldestMs))
    const seconds = isSummed
      ? this.#bins.filter(({ atMs }) => minuteOf(atMs) > minuteOf(oldestMs))
      : this.#bins
    return [...sums, ...seconds]
  }

  /** What an engine before this one has stored. Charts begin anew where it cannot be read. */
  async #recall(): Promise<void> {
    const stored = await this.#parts.stores.traffic.minutesOf(this.#service.definition.name)
    if (!stored.ok) return
    const nowMs = this.#clock.nowMs()
    this.#minutes = stored.value.filter(
      ({ atMs }) => atMs >= nowMs - heldMinutesMs && minuteOf(atMs) < minuteOf(nowMs),
    )
    this.#summedToMs = minuteOf(this.#minutes.at(-1)?.atMs ?? -Infinity) + minuteMs
    for (const minute of this.#minutes) this.#usual.learn(minute)
  }

  #sumUp(): void {
    const nowMs = this.#clock.nowMs()
    const toMs = minuteOf(nowMs - lateMs)
    if (toMs <= this.#summedToMs) return
    const ended = this.#bins.filter(({ atMs }) => atMs >= this.#summedToMs && atMs < toMs)
    this.#summedToMs = toMs
    const sums = compactBins(ended, minuteMs)
    const oldestMs = nowMs - heldMinutesMs
    this.#minutes = [...this.#minutes.filter(({ atMs }) => atMs >= oldestMs), ...sums]
    for (const minute of sums) this.#usual.learn(minute)
    this.#usual.keepOnly(this.#minutes)
    this.#unstored = [...this.#unstored.filter(({ atMs }) => atMs >= oldestMs), ...sums]
  }

  /** What cannot be stored is tried again with what comes next. */
  async #store(): Promise<void> {
    this.#storedAtMs = this.#clock.monotonicMs()
    if (this.#unstored.length === 0) return
    const { definition } = this.#service
    const fromMs = this.#clock.nowMs() - heldMinutesMs
    const stored = await this.#parts.stores.work.commit([
      { kind: 'keepTraffic', service: definition.name, minutes: this.#unstored, fromMs },
    ])
    if (stored.ok) this.#unstored = []
  }
}

const minuteOf = (atMs: number): number => Math.floor(atMs / minuteMs) * minuteMs

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
    requestsPerSecond: received(counts) / seconds,
    errorRatio: errorRatio(counts),
    abandonedRatio: abandonedRatio(counts),
    p50Ms: quantileMs(counts, 0.5),
    p95Ms: quantileMs(counts, 0.95),
    p99Ms: quantileMs(counts, 0.99),
    inFlight: own.filter(({ atMs }) => atMs === newestMs).reduce((sum, bin) => sum + bin.inFlight, 0),
  }
}
