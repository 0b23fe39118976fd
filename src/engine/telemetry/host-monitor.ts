import {
  useSchema,
  type Forecast,
  type HostState,
  type LimitState,
  type SeriesQuality,
  type Trend,
  type Unit,
  type Use,
} from '../../contract/index.ts'
import { hostHealth, type OpenAlert } from './health.ts'
import { historySince, type History, type HistoryQuery } from './history.ts'
import { defaultLimits, leastCoverage, type Limits } from './limits.ts'
import { decideLimits, planLimits, valueOf, type LimitSource } from './limits-plan.ts'
import type { Moment } from './moment.ts'
import type { Reading, SeriesKey } from './ports.ts'
import { seriesText } from './wording.ts'
import { QualityTracker, type StreamPlace } from './quality.ts'
import { SampleRing } from './ring.ts'
import { forecastFull, trendOf } from './trend.ts'

/** Forecasts look at the whole ring; once a minute is often enough for what takes hours. */
const forecastEveryMs = 60_000

export interface HostMonitorOptions {
  hostId: string
  /** Between two readings, ms. */
  intervalMs: number
  /** Defaults to `defaultLimits`. */
  limits?: Limits
  /** Rows kept in memory; defaults to an hour at 1 Hz. 8 bytes a value and row. */
  ringCapacity?: number
}

/** What a source says it measures. Ids of the store are welcome, but not needed. */
export interface Catalog {
  version: number
  series: readonly SeriesKey[]
}

/** Everything decided about one host from its readings. */
export interface HostMonitor {
  readonly hostId: string
  /** The newest rows, for charts and streams; read only. */
  readonly ring: SampleRing
  /**
   * Takes a reading that arrived at `now` (of our own clocks) and says where it stands in time. Duplicates and
   * readings out of order are counted and otherwise ignored: store only `first` and `newer` ones.
   */
  observe(reading: Reading, catalog: Catalog, now: Moment): StreamPlace
  /** Lets time pass while no reading comes. Call it about once an interval. */
  tick(now: Moment): void
  /** As of the last call of `observe` or `tick`; the same object until the next. */
  state(): HostState
  /** The newest score the host had while it was known; null before the first. For `combineHealth`. */
  lastScore(): number | null
  /** Quality of each series, in the order of the catalogue. */
  seriesQuality(): SeriesQuality[]
  /** All limits as they stand, those that are ok or not measured included. */
  limitStates(): readonly LimitState[]
  /** Slope of a slot over the newest `windowMs` of wall time; nothing when there is too little to say. */
  trend(slot: number, windowMs: number): Trend | undefined
  historySince(query: Omit<HistoryQuery, 'intervalMs'>): History
  /** Limits of a newer configuration; states keep their `sinceMs` where the severity stays. */
  setLimits(limits: Limits): void
  /** Time between two readings from the next one on, ms. */
  setInterval(intervalMs: number): void
  /** Open alerts on this host, part of its health from now on. */
  setAlerts(alerts: readonly OpenAlert[]): void
  /**
   * Forecasts made from a longer past than the ring's, as `forecastFull` makes them. They stand in for filesystems
   * of which the ring alone allows none.
   */
  setLongForecasts(forecasts: readonly Forecast[]): void
}

/** A monitor for one host. It reads no clock and starts no timer: it changes only when it is called. */
export function createHostMonitor(options: HostMonitorOptions): HostMonitor {
  return new Monitor(options)
}

class Monitor implements HostMonitor {
  readonly hostId: string
  ring: SampleRing
  #intervalMs: number
  #nextIntervalMs: number
  #quality: QualityTracker
  readonly #ringCapacity: number | undefined
  #limits: Limits
  #catalogVersion = NaN
  #names: readonly string[] = []
  #units: readonly Unit[] = []
  #sources: LimitSource[] = []
  #limitStates: LimitState[] = []
  #alerts: readonly OpenAlert[] = []
  #longForecasts: readonly Forecast[] = []
  #ringForecasts: readonly Forecast[] = []
  #forecastAtMs = -Infinity
  #lastScore: number | null = null
  #now: Moment = { atMs: 0, monotonicMs: 0 }
  #state: HostState | undefined

  constructor({ hostId, intervalMs, limits = defaultLimits, ringCapacity }: HostMonitorOptions) {
    this.hostId = hostId
    this.ring = new SampleRing(ringCapacity)
    this.#ringCapacity = ringCapacity
    this.#intervalMs = intervalMs
    this.#nextIntervalMs = intervalMs
    this.#limits = limits
    this.#quality = new QualityTracker(intervalMs)
  }

  observe(reading: Reading, catalog: Catalog, now: Moment): StreamPlace {
    if (reading.values.length > catalog.series.length) {
      throw new RangeError(`a reading of ${this.hostId} has more values than its catalogue has series`)
    }
    this.#see(now)
    this.#changePace()
    this.#learn(catalog)
    const place = this.#quality.observe(reading, this.#units, now)
    if (place === 'duplicate' || place === 'outOfOrder') return place
    this.ring.append(reading.atMs, this.#quality.elapsedMs, reading.values)
    this.#decideLimits()
    this.#forecast()
    return place
  }

  tick(now: Moment): void {
    this.#see(now)
    this.#quality.tick(now)
  }

  state(): HostState {
    this.#state ??= this.#decide()
    return this.#state
  }

  lastScore(): number | null {
    this.state()
    return this.#lastScore
  }

  seriesQuality(): SeriesQuality[] {
    return this.#quality.series(this.#units)
  }

  limitStates(): readonly LimitState[] {
    return this.#limitStates
  }

  trend(slot: number, windowMs: number): Trend | undefined {
    const newestMs = this.ring.timeMs(0)
    const { timesMs, columns } = this.ring.window(newestMs - windowMs, newestMs, [slot])
    return columns[0] && trendOf(timesMs, columns[0])
  }

  historySince(query: Omit<HistoryQuery, 'intervalMs'>): History {
    return historySince(this.ring, { ...query, intervalMs: this.#intervalMs })
  }

  setLimits(limits: Limits): void {
    this.#limits = limits
    if (this.ring.length > 0) this.#decideLimits()
    this.#state = undefined
  }

  setInterval(intervalMs: number): void {
    this.#nextIntervalMs = intervalMs
  }

  /** Counts and rows of another pace cannot be compared with new ones; limits keep their states meanwhile. */
  #changePace(): void {
    if (this.#nextIntervalMs === this.#intervalMs) return
    this.#intervalMs = this.#nextIntervalMs
    this.#quality = new QualityTracker(this.#intervalMs)
    this.ring = new SampleRing(this.#ringCapacity)
  }

  setAlerts(alerts: readonly OpenAlert[]): void {
    this.#alerts = alerts
    this.#state = undefined
  }

  setLongForecasts(forecasts: readonly Forecast[]): void {
    this.#longForecasts = forecasts
    this.#state = undefined
  }

  #see(now: Moment): void {
    this.#now = { atMs: now.atMs, monotonicMs: now.monotonicMs }
    this.#state = undefined
  }

  #learn({ version, series }: Catalog): void {
    if (version === this.#catalogVersion && series.length === this.#units.length) return
    this.#catalogVersion = version
    const names = series.map(seriesText)
    this.#names.forEach((name, slot) => {
      if (name === names[slot]) return
      this.ring.forget(slot)
      this.#quality.forget(slot)
    })
    this.#names = names
    this.#units = series.map(({ unit }) => unit)
    this.#sources = planLimits(series)
  }

  #decideLimits(): void {
    this.#limitStates = decideLimits(
      this.#limitStates,
      this.#sources,
      this.ring,
      this.#limits,
      this.#intervalMs,
    )
  }

  #forecast(): void {
    if (this.#now.monotonicMs - this.#forecastAtMs < forecastEveryMs) return
    this.#forecastAtMs = this.#now.monotonicMs
    const { ring } = this
    const known = new Map(this.#ringForecasts.map((forecast) => [forecast.series, forecast]))
    const timesMs = Float64Array.from({ length: ring.length }, (_, back) => ring.timeMs(back))
    this.#ringForecasts = this.#sources.flatMap(({ on: { kind, subject, series }, formula }) => {
      if (kind !== 'disk') return []
      const shares = Float64Array.from({ length: ring.length }, (_, back) => valueOf(ring, formula, back))
      const trend = trendOf(timesMs, shares)
      const forecast = forecastFull({
        subject,
        series,
        share: shares[0] ?? NaN,
        trend,
        nowMs: ring.timeMs(0),
      })
      if (!forecast) return []
      return [{ ...forecast, sinceMs: known.get(series)?.sinceMs ?? forecast.sinceMs }]
    })
  }

  #decide(): HostState {
    const forecasts = [
      ...this.#ringForecasts,
      ...this.#longForecasts.filter(
        ({ series }) => !this.#ringForecasts.some((near) => near.series === series),
      ),
    ]
    const health = hostHealth({
      hostId: this.hostId,
      freshness: this.#quality.freshness,
      ageMs: this.#quality.ageMs,
      nowMs: this.#now.atMs,
      limits: this.#limitStates,
      forecasts,
      alerts: this.#alerts,
    })
    if (health.score !== null) this.#lastScore = health.score
    return {
      quality: this.#quality.host(),
      health,
      limits: brokenWorstFirst(this.#limitStates),
      use: usesOf(this.#limitStates, (holdMs) => this.ring.countSince(holdMs) * this.#intervalMs),
      forecasts,
      thresholds: thresholdsOf(this.#limits),
    }
  }
}

const thresholdsOf = ({ cpu, memory, disk }: Limits): NonNullable<HostState['thresholds']> =>
  Object.fromEntries(
    Object.entries({ cpu, memory, disk }).map(([kind, { warning, critical }]) => [
      kind,
      { warning, critical },
    ]),
  )

const usable: readonly string[] = useSchema.shape.kind.options

/**
 * In thousandths, so that what hardly changes is not told anew each second. What was measured for less than half of its
 * hold time, as just after the start, is not known.
 */
const usesOf = (states: readonly LimitState[], measuredMs: (holdMs: number) => number): Use[] =>
  states.flatMap(({ kind, subject, value, holdMs }) => {
    if (!usable.includes(kind)) return []
    const isKnown = value !== null && measuredMs(holdMs) >= leastCoverage * holdMs
    return [{ kind: kind as Use['kind'], subject, ratio: isKnown ? Math.round(value * 1000) / 1000 : null }]
  })

/** A limit that is not measured, such as swap on a host without, is no finding. */
function brokenWorstFirst(states: readonly LimitState[]): LimitState[] {
  const isCritical = ({ severity }: LimitState) => (severity === 'critical' ? 1 : 0)
  return states
    .filter(({ severity }) => severity === 'warning' || severity === 'critical')
    .sort((a, b) => isCritical(b) - isCritical(a) || a.sinceMs - b.sinceMs)
}
