import type { Freshness, HostQuality, QualityCounts, SeriesQuality, Unit } from '../../contract/index.ts'
import type { Moment } from './moment.ts'
import type { Reading } from './ports.ts'
import { clockOffsetLimitMs, judgeHost, judgeSeries, type QualityVerdict } from './quality-verdict.ts'
import { RollingCounts } from './quality-window.ts'
import { UnitJumps } from './quality-unit-jump.ts'

/*
 * Limits of age lie between the grid points at which readings are due, so that jitter does not decide. After 1.75
 * intervals a reading is missing rather than delayed; after 2.5 two are overdue; after 5.5 five, which a busy
 * machine hardly brings about by chance.
 */
const gapIntervals = 1.75
const lateIntervals = 2.5
const staleIntervals = 5.5
/** Wall and monotonic time of a host may drift apart this far before it counts as a skew; NTP slews stay below. */
const skewLimitMs = 1000
/** How fast the estimate of a host's clock offset forgets its lowest delay, in ms a ms. */
const offsetLeak = 0.01
const windowMs = 3_600_000

const kinds = [
  'fresh',
  'late',
  'stale',
  'gaps',
  'notNumbers',
  'counterResets',
  'duplicates',
  'outOfOrder',
  'clockSkews',
  'unitJumps',
] as const satisfies readonly (keyof QualityCounts)[]
const kindOf = Object.fromEntries(kinds.map((kind, index) => [kind, index])) as Record<
  keyof QualityCounts,
  number
>
/** Beside the public kinds, of series only: readings without a number, whether or not that counted as a trouble. */
const absentKind = kinds.length

/** Where a reading stands in time against the newest accepted one. */
export type StreamPlace = 'first' | 'newer' | 'duplicate' | 'outOfOrder'

/**
 * A repeated wall time is a duplicate (a source that is stuck repeats its last reading). Both clocks back: an older
 * reading that came late. Only monotonic time back: the source was restarted. Only wall time back: its clock was set.
 */
export function placeInTime(last: Moment | undefined, next: Moment): StreamPlace {
  if (!last) return 'first'
  if (next.atMs === last.atMs) return 'duplicate'
  return next.atMs < last.atMs && next.monotonicMs <= last.monotonicMs ? 'outOfOrder' : 'newer'
}

/**
 * The quality of the data of one host and of each of its series: what happened over the last hour, how fresh it is
 * now, and whether someone may decide on it. It is a fold over readings and ticks: it reads no clock, so the same
 * calls always give the same answers; its state is kept in columns and changed in place, because 1,000 hosts with
 * 110 values a second would otherwise be mostly garbage.
 */
export class QualityTracker {
  readonly #intervalMs: number
  /** What happened to readings as a whole, to each series, and the sum of both. */
  readonly #ofReadings = new RollingCounts(kinds.length, { windowMs })
  readonly #ofSeries = new RollingCounts(kinds.length + 1, { windowMs })
  readonly #ofHost = new RollingCounts(kinds.length, { windowMs })
  readonly #unitJumps = new UnitJumps()

  #slotCount = 0
  /** By slot: time of the newest number, on the elapsed axis and on the wall; NaN before the first. */
  #numberElapsedMs = new Float64Array(0)
  #numberAtMs = new Float64Array(0)

  #last: Moment | undefined
  /** Our own clocks when the newest accepted reading arrived. */
  #arrival: Moment | undefined
  #firstArrivalMs = NaN
  #elapsedMs = 0
  #anchor: Moment | undefined
  #lastSkewMs = -Infinity
  #clockOffsetMs = NaN
  #isClockOff = false
  /** How late the newest reading was when it arrived, beyond its clock's offset. */
  #latenessMs = 0
  #nowMs = 0
  #freshness: Freshness = 'stale'

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Time the host's readings span, ms: never goes back, whatever its clocks do. */
  get elapsedMs(): number {
    return this.#elapsedMs
  }

  get freshness(): Freshness {
    return this.#freshness
  }

  /** Age of the newest reading as of the last call, ms; Infinity before the first. */
  get ageMs(): number {
    return this.#arrival ? this.#nowMs - this.#arrival.monotonicMs + this.#latenessMs : Infinity
  }

  /** Takes a reading that arrived at `now`. Only `first` and `newer` ones carry values worth keeping. */
  observe(reading: Reading, units: readonly Unit[], now: Moment): StreamPlace {
    this.tick(now)
    const place = placeInTime(this.#last, reading)
    if (place === 'duplicate' || place === 'outOfOrder') {
      this.#countReading(place === 'duplicate' ? 'duplicates' : 'outOfOrder')
      return place
    }
    const stepMs = this.#advance(reading, now)
    this.#grow(units.length)
    this.#countReading('fresh')
    const hasGap = this.#last !== undefined && stepMs > gapIntervals * this.#intervalMs
    if (hasGap) this.#countReading('gaps')
    this.#observeValues(reading, units, stepMs, hasGap)
    this.#last = { atMs: reading.atMs, monotonicMs: reading.monotonicMs }
    this.#arrival = { atMs: now.atMs, monotonicMs: now.monotonicMs }
    if (Number.isNaN(this.#firstArrivalMs)) this.#firstArrivalMs = now.monotonicMs
    this.#freshness = this.#freshnessOf(this.ageMs)
    return place
  }

  /** Lets time pass: a host that stays silent becomes late, then stale. */
  tick(now: Moment): void {
    this.#nowMs = Math.max(this.#nowMs, now.monotonicMs)
    for (const counts of [this.#ofReadings, this.#ofSeries, this.#ofHost]) counts.advance(this.#nowMs)
    if (!this.#arrival) return
    const before = this.#freshness
    const after = this.#freshnessOf(this.ageMs)
    if (before === 'fresh' && after !== 'fresh') this.#countReading('late')
    if (before !== 'stale' && after === 'stale') this.#countReading('stale')
    this.#freshness = after
  }

  /** Begins anew with a slot that belongs to another series from now on. */
  forget(slot: number): void {
    if (slot >= this.#slotCount) return
    this.#numberElapsedMs[slot] = this.#numberAtMs[slot] = NaN
    this.#ofSeries.clear(slot)
    this.#unitJumps.clear(slot)
  }

  host(): HostQuality {
    const { canBeJudged, reasons } = this.#judgeHost()
    return {
      freshness: this.#freshness,
      lastSampleMs: this.#last?.atMs ?? 0,
      counts: countsOf((kind) => this.#ofHost.total(kind)),
      canBeJudged,
      reasons,
    }
  }

  /** One entry for each slot, in the order of the catalogue. */
  series(units: readonly Unit[]): SeriesQuality[] {
    const host = this.#judgeHost()
    return units.map((unit, slot) => this.#series(slot, unit, host))
  }

  #series(slot: number, unit: Unit, host: QualityVerdict): SeriesQuality {
    const numberAtMs = this.#numberAtMs[slot] ?? NaN
    const hasValue = !Number.isNaN(numberAtMs)
    const ageMs = this.#elapsedMs - (this.#numberElapsedMs[slot] ?? NaN)
    const freshness = hasValue ? worse(this.#freshness, this.#freshnessOf(ageMs)) : 'stale'
    const counts = countsOf((kind) =>
      kind === kindOf.fresh
        ? this.#ofSeries.total(kind, slot)
        : this.#ofReadings.total(kind) + this.#ofSeries.total(kind, slot),
    )
    const evidence = {
      freshness,
      hasValue,
      ageMs,
      freshCount: counts.fresh,
      absentCount: this.#ofSeries.total(absentKind, slot),
      unitJumpCount: counts.unitJumps,
      isImpossible: this.#unitJumps.isImpossible(slot, unit),
    }
    const verdict = judgeSeries(evidence, host)
    return { slot, freshness, lastValueMs: hasValue ? numberAtMs : null, counts, ...verdict }
  }

  #judgeHost(): QualityVerdict {
    const total = (kind: keyof QualityCounts) => this.#ofReadings.total(kindOf[kind])
    const sinceFirstMs = this.#arrival ? this.#nowMs - this.#firstArrivalMs : 0
    let unmeasuredSeriesCount = 0
    const staleMs = staleIntervals * this.#intervalMs
    for (let slot = 0; slot < this.#slotCount; slot++) {
      if (!(this.#elapsedMs - (this.#numberElapsedMs[slot] ?? NaN) <= staleMs)) unmeasuredSeriesCount++
    }
    return judgeHost({
      freshness: this.#freshness,
      ageMs: this.ageMs,
      freshCount: total('fresh'),
      expectedCount: Math.min(sinceFirstMs, this.#ofReadings.coveredMs()) / this.#intervalMs,
      misplacedCount: total('duplicates') + total('outOfOrder'),
      sinceSkewMs: this.#nowMs - this.#lastSkewMs,
      clockOffsetMs: Number.isNaN(this.#clockOffsetMs) ? 0 : this.#clockOffsetMs,
      seriesCount: this.#slotCount,
      unmeasuredSeriesCount,
    })
  }

  /** Moves the host's time to `reading` and gives the step, ms; watches its clocks on the way. */
  #advance(reading: Moment, now: Moment): number {
    const last = this.#last
    if (!last) {
      this.#anchor = { atMs: reading.atMs, monotonicMs: reading.monotonicMs }
      this.#followOffset(now.atMs - reading.atMs, 0, 0)
      return 0
    }
    const wallMs = reading.atMs - last.atMs
    const monotonicMs = reading.monotonicMs - last.monotonicMs
    const stepMs = monotonicMs > 0 ? Math.max(wallMs, monotonicMs) : wallMs
    this.#elapsedMs += stepMs
    let sourceJumpMs = 0
    if (monotonicMs <= 0) {
      this.#anchor = { atMs: reading.atMs, monotonicMs: reading.monotonicMs }
    } else {
      const anchor = this.#anchor ?? last
      const driftMs = reading.atMs - anchor.atMs - (reading.monotonicMs - anchor.monotonicMs)
      if (Math.abs(driftMs) > skewLimitMs) {
        this.#countReading('clockSkews')
        this.#lastSkewMs = this.#nowMs
        this.#anchor = { atMs: reading.atMs, monotonicMs: reading.monotonicMs }
        sourceJumpMs = wallMs - monotonicMs
      }
    }
    const arrival = this.#arrival ?? now
    const ownStepMs = now.monotonicMs - arrival.monotonicMs
    const ownJumpMs = now.atMs - arrival.atMs - ownStepMs
    const jumpMs = (Math.abs(ownJumpMs) > skewLimitMs ? ownJumpMs : 0) - sourceJumpMs
    this.#followOffset(now.atMs - reading.atMs, jumpMs, ownStepMs)
    return stepMs
  }

  /**
   * A reading's delay is its way here plus the difference of two clocks. The lowest delay lately seen is taken for
   * the difference, what lies above it for lateness; a known jump of either clock moves the estimate at once.
   */
  #followOffset(delayMs: number, jumpMs: number, stepMs: number): void {
    if (Number.isNaN(this.#clockOffsetMs)) this.#clockOffsetMs = delayMs
    const estimateMs = this.#clockOffsetMs + jumpMs
    this.#clockOffsetMs = Math.min(delayMs, estimateMs + offsetLeak * Math.max(0, stepMs))
    this.#latenessMs = delayMs - this.#clockOffsetMs
    const isOff = Math.abs(this.#clockOffsetMs) > clockOffsetLimitMs
    if (isOff && !this.#isClockOff) this.#countReading('clockSkews')
    this.#isClockOff = isOff
  }

  #observeValues(reading: Reading, units: readonly Unit[], stepMs: number, hasGap: boolean): void {
    const { values, counterResets } = reading
    const gapMs = gapIntervals * this.#intervalMs
    const lateMs = lateIntervals * this.#intervalMs
    const staleMs = staleIntervals * this.#intervalMs
    for (let slot = 0; slot < this.#slotCount; slot++) {
      const value = values[slot] ?? NaN
      const ageMs = this.#elapsedMs - (this.#numberElapsedMs[slot] ?? NaN)
      if (Number.isFinite(value)) {
        this.#ofSeries.add(kindOf.fresh, slot)
        if (ageMs > gapMs && !hasGap) this.#countSeries('gaps', slot)
        this.#numberElapsedMs[slot] = this.#elapsedMs
        this.#numberAtMs[slot] = reading.atMs
        if (this.#unitJumps.observe(slot, units[slot] ?? 'count', value)) this.#countSeries('unitJumps', slot)
        continue
      }
      this.#ofSeries.add(absentKind, slot)
      // A series that never had a number has not begun; one that is stale is counted as that, not once a second.
      if (Number.isNaN(ageMs)) continue
      if (counterResets.length > 0 && counterResets.includes(slot)) {
        // The counter was read; only its rate is unknown this once.
        this.#numberElapsedMs[slot] = this.#elapsedMs
        continue
      }
      if (ageMs <= staleMs) this.#countSeries('notNumbers', slot)
      const agedFromMs = ageMs - stepMs
      if (ageMs > lateMs && agedFromMs <= lateMs && !hasGap) this.#countSeries('late', slot)
      if (ageMs > staleMs && agedFromMs <= staleMs && !hasGap) this.#countSeries('stale', slot)
    }
    for (const slot of counterResets) if (slot < this.#slotCount) this.#countSeries('counterResets', slot)
  }

  #grow(slotCount: number): void {
    if (slotCount <= this.#slotCount) return
    this.#numberElapsedMs = widened(this.#numberElapsedMs, slotCount)
    this.#numberAtMs = widened(this.#numberAtMs, slotCount)
    this.#ofSeries.grow(slotCount)
    this.#unitJumps.grow(slotCount)
    this.#slotCount = slotCount
  }

  #freshnessOf(ageMs: number): Freshness {
    if (ageMs > staleIntervals * this.#intervalMs) return 'stale'
    return ageMs > lateIntervals * this.#intervalMs ? 'late' : 'fresh'
  }

  #countReading(kind: keyof QualityCounts): void {
    this.#ofReadings.add(kindOf[kind])
    this.#ofHost.add(kindOf[kind])
  }

  #countSeries(kind: keyof QualityCounts, slot: number): void {
    this.#ofSeries.add(kindOf[kind], slot)
    this.#ofHost.add(kindOf[kind])
  }
}

const countsOf = (total: (kind: number) => number): QualityCounts =>
  Object.fromEntries(kinds.map((kind) => [kind, total(kindOf[kind])])) as QualityCounts

const order: Record<Freshness, number> = { fresh: 0, late: 1, stale: 2 }
const worse = (a: Freshness, b: Freshness): Freshness => (order[a] >= order[b] ? a : b)

function widened(old: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(length).fill(NaN)
  wider.set(old)
  return wider
}
