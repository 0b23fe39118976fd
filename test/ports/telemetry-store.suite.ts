import { afterEach, describe, expect, it } from 'vitest'
import { seededRng, type Clock, type Result } from '../../src/base/index.ts'
import type { Chart, Series } from '../../src/contract/index.ts'
import type { SeriesKey, TelemetryStore } from '../../src/engine/telemetry/index.ts'
import { VirtualClock } from '../support/clock.ts'

/** Opens the store under test on a place that is empty at first and stays until `dispose`. */
export interface StorePlace extends AsyncDisposable {
  open(clock: Clock): Promise<Result<TelemetryStore>>
}

/** How long a condition may take to come true on a machine that is busy. */
const patience = { timeout: 100_000 }
const startMs = Date.UTC(2026, 2, 14, 9, 0, 0)
const keys: SeriesKey[] = [
  { name: 'cpu.busy', labels: {}, unit: 'ratio' },
  { name: 'memory.used', labels: {}, unit: 'bytes' },
  { name: 'disk.read', labels: { device: 'vda' }, unit: 'bytes_per_second' },
  { name: 'network.packets_sent', labels: { interface: 'eth0' }, unit: 'per_second' },
  { name: 'temperature', labels: { sensor: 'cpu' }, unit: 'celsius' },
]

/** How far off a stored value may be, by unit: the promise of the store. */
const tolerance = (unit: string, value: number): number => {
  const half =
    { ratio: 2 ** -17, bytes: 0.5, bytes_per_second: 0.5, per_second: 2 ** -8, celsius: 5e-3 }[unit] ?? 0
  const share = { ratio: 2 ** -10, bytes: 2 ** -13, celsius: 0 }[unit] ?? 2 ** -10
  return Math.max(half, Math.abs(value) * share) + 1e-9 * (1 + Math.abs(value))
}

/** Everything ever appended, as a plain table: the last value of each series and millisecond. */
class Reference {
  readonly #values = new Map<number, Map<number, number>>()
  readonly #sorted = new Map<number, [number, number][]>()

  append(series: readonly Series[], atMs: number, values: Float64Array): void {
    this.#sorted.clear()
    series.forEach(({ id }, i) => {
      const ofSeries = this.#values.get(id) ?? new Map<number, number>()
      this.#values.set(id, ofSeries.set(atMs, values[i] ?? NaN))
    })
  }

  within(id: number, fromMs: number, beforeMs: number): [number, number][] {
    const sorted = this.#sorted.get(id) ?? [...(this.#values.get(id) ?? [])].sort(([a], [b]) => a - b)
    this.#sorted.set(id, sorted)
    return sorted.slice(firstFrom(sorted, fromMs), firstFrom(sorted, beforeMs))
  }
}

function firstFrom(sorted: readonly [number, number][], timeMs: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle]?.[0] ?? Infinity) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

function expectChartOf(
  reference: Reference,
  series: readonly Series[],
  chart: Chart,
  maxPoints: number,
): void {
  for (const drawn of chart.series) {
    const unit = series.find(({ id }) => id === drawn.seriesId)?.unit ?? ''
    expect(drawn.timesMs.length).toBeLessThanOrEqual(maxPoints)
    if (chart.stepMs === 0) {
      const expected = reference.within(drawn.seriesId, chart.fromMs, chart.toMs + 1)
      const got = new Map([...drawn.timesMs].map((atMs, i) => [atMs, drawn.mean[i] ?? NaN]))
      for (const [atMs, value] of expected) expectNear(got.get(atMs), value, tolerance(unit, value))
      const known = new Set(expected.map(([atMs]) => atMs))
      for (const [atMs, value] of got) if (!known.has(atMs)) expect(value, `invented at ${atMs}`).toBeNaN()
      continue
    }
    const firstMs = Math.floor(chart.fromMs / chart.stepMs) * chart.stepMs
    const count = Math.floor(chart.toMs / chart.stepMs) - firstMs / chart.stepMs + 1
    expect(Array.from(drawn.timesMs)).toEqual(
      Array.from({ length: count }, (_, i) => firstMs + i * chart.stepMs),
    )
    drawn.timesMs.forEach((atMs, i) => {
      const values = reference
        .within(drawn.seriesId, atMs, atMs + chart.stepMs)
        .map(([, value]) => value)
        .filter((value) => !Number.isNaN(value))
      const largest = Math.max(0, ...values.map(Math.abs))
      // Each value was rounded, and its means over a minute and an hour were once more.
      const allowed = 3 * tolerance(unit, largest)
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      expectNear(drawn.min[i], values.length > 0 ? Math.min(...values) : NaN, allowed)
      expectNear(drawn.mean[i], mean, allowed)
      expectNear(drawn.max[i], values.length > 0 ? Math.max(...values) : NaN, allowed)
    })
  }
}

function expectNear(got: number | undefined, expected: number, allowed: number): void {
  const isRight = Number.isNaN(expected) ? Number.isNaN(got) : Math.abs((got ?? NaN) - expected) <= allowed
  if (!isRight) expect.fail(`${got} where ${expected} was recorded, give or take ${allowed}`)
}

export function describeTelemetryStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`the telemetry store on ${name}`, () => {
    const stack: AsyncDisposable[] = []
    afterEach(async () => {
      for (const held of stack.splice(0).reverse()) await held[Symbol.asyncDispose]()
    })

    async function setUp(place?: StorePlace) {
      const where = place ?? (await makePlace())
      if (!place) stack.push(where)
      const clock = new VirtualClock(startMs)
      const opened = await where.open(clock)
      if (!opened.ok) throw opened.error
      const store = opened.value
      stack.push(store)
      const series = await store.registerSeries('local', keys)
      return {
        place: where,
        clock,
        store,
        series,
        ids: series.map(({ id }) => id),
        reference: new Reference(),
      }
    }
    type Setting = Awaited<ReturnType<typeof setUp>>

    /** Appends rows as a host with some trouble would, committing as time goes by. */
    async function record(
      { clock, store, series, ids, reference }: Setting,
      options: { count: number; everyMs: number; seed: number; trouble?: boolean },
    ): Promise<void> {
      const rng = seededRng(options.seed)
      let memory = 8e9
      for (let i = 0; i < options.count; i++) {
        clock.jumpWall(options.everyMs)
        if (options.trouble && rng.next() < 0.002) clock.jumpWall(Math.floor(rng.next() * 90_000))
        memory = Math.max(0, memory + Math.round((rng.next() - 0.5) * 1e7) * 4096)
        const isSilent = options.trouble && i % 500 > 470
        const values = Float64Array.of(
          rng.next(),
          memory,
          rng.next() < 0.7 ? 0 : rng.next() * 5e8,
          isSilent ? NaN : Math.floor(rng.next() * 3000) / 1.0007,
          40 + rng.next() * 30,
        )
        const late = options.trouble && rng.next() < 0.01 ? Math.floor(rng.next() * 1_500_000) : 0
        const atMs = clock.nowMs() + Math.floor(rng.next() * 3) - late
        store.append('local', ids, { atMs, values })
        reference.append(series, atMs, values)
        if (options.trouble && rng.next() < 0.01) {
          const again = values.map((value) => value + 1)
          store.append('local', ids, { atMs, values: again })
          reference.append(series, atMs, again)
        }
        if (i % 97 === 0) expect(await store.flush()).toEqual({ ok: true, value: undefined })
      }
    }

    async function draw(
      { store, ids }: Setting,
      fromMs: number,
      toMs: number,
      maxPoints: number,
    ): Promise<Chart> {
      const chart = await store.chart({ hostId: 'local', seriesIds: ids, fromMs, toMs, maxPoints })
      if (!chart.ok) throw chart.error
      return chart.value
    }

    it('draws at every resolution what a plain computation over the same rows gives', async () => {
      const setting = await setUp()
      await record(setting, { count: 8000, everyMs: 1000, seed: 11, trouble: true })
      const nowMs = setting.clock.nowMs()
      for (const [spanMs, maxPoints] of [
        [60_000, 500],
        [600_000, 700],
        [600_000, 300],
        [3_600_000, 1000],
        [7_200_000, 100],
        [8_000_000, 2],
        [10 * 3_600_000, 10],
        [10 * 3_600_000, 9],
      ] as const) {
        for (const endMs of [nowMs, nowMs - 1_234_567, nowMs + 50_000]) {
          const chart = await draw(setting, endMs - spanMs, endMs, maxPoints)
          expectChartOf(setting.reference, setting.series, chart, maxPoints)
        }
      }
    })

    it('draws months from its roll-ups as from the rows themselves', async () => {
      const setting = await setUp()
      await record(setting, { count: 3000, everyMs: 1_700_000, seed: 5 })
      const nowMs = setting.clock.nowMs()
      for (const [days, maxPoints] of [
        [2, 500],
        [30, 700],
        [58, 200],
      ] as const) {
        const chart = await draw(setting, nowMs - days * 86_400_000, nowMs, maxPoints)
        expect(chart.stepMs).toBeGreaterThan(0)
        expectChartOf(setting.reference, setting.series, chart, maxPoints)
      }
    })

    it('chooses the coarsest resolution that still has the points asked for', async () => {
      const setting = await setUp()
      await record(setting, { count: 1500, everyMs: 5000, seed: 1 })
      const nowMs = setting.clock.nowMs()
      const stepOf = async (spanMs: number, maxPoints: number) =>
        (await draw(setting, nowMs - spanMs, nowMs, maxPoints)).stepMs
      expect(await stepOf(3_600_000, 1000)).toBe(0)
      expect(await stepOf(3_600_000, 101)).toBe(36_000)
      expect((await stepOf(3_600_000, 60)) % 60_000).toBe(0)
      expect((await stepOf(7_200_000, 2)) % 3_600_000).toBe(0)
    })

    it('shows rows at once, before they are committed', async () => {
      const { store, ids, series, clock, reference } = await setUp()
      const values = Float64Array.of(0.5, 1, 2, 3, 4)
      store.append('local', ids, { atMs: clock.nowMs(), values })
      reference.append(series, clock.nowMs(), values)
      expect(store.status().pendingRowCount).toBe(1)
      const query = { hostId: 'local', seriesIds: ids, fromMs: startMs - 1000, toMs: startMs, maxPoints: 10 }
      const chart = await store.chart(query)
      if (!chart.ok) throw chart.error
      expect(chart.value.series.map(({ mean }) => mean[0])).toEqual([0.5, 1, 2, 3, 4])
    })

    it('draws nothing for a range without rows, however near there are some', async () => {
      const setting = await setUp()
      for (const second of [0, 1, 2, 60, 61]) {
        setting.store.append('local', setting.ids, {
          atMs: startMs + second * 1000,
          values: new Float64Array(5),
        })
      }
      expect((await setting.store.flush()).ok).toBe(true)
      for (const [from, to] of [
        [-60, -1],
        [10, 50],
        [62, 90],
      ] as const) {
        const chart = await draw(setting, startMs + from * 1000, startMs + to * 1000, 100)
        for (const { timesMs, min, mean, max } of chart.series) {
          expect([timesMs.length, min.length, mean.length, max.length]).toEqual([0, 0, 0, 0])
        }
      }
    })

    it('takes the row as it was when appended, whatever the caller does with its array afterwards', async () => {
      const setting = await setUp()
      const values = Float64Array.of(0.25, 1, 2, 3, 4)
      setting.store.append('local', setting.ids, { atMs: startMs, values })
      values.fill(9)
      const chart = await draw(setting, startMs, startMs, 10)
      expect(chart.series[0]?.mean[0]).toBe(0.25)
    })

    it('marks a pause as one point that is NaN, and a value not measured likewise', async () => {
      const setting = await setUp()
      for (const second of [0, 1, 2, 30, 31, 32]) {
        const values = Float64Array.of(second === 1 ? NaN : 0.5, 1, 2, 3, 4)
        setting.store.append('local', setting.ids, { atMs: startMs + second * 1000, values })
      }
      const chart = await draw(setting, startMs, startMs + 60_000, 100)
      expect(Array.from(chart.series[0]?.mean ?? [])).toEqual([0.5, NaN, 0.5, NaN, 0.5, 0.5, 0.5])
      expect(Array.from(chart.series[1]?.mean ?? [])).toEqual([1, 1, 1, NaN, 1, 1, 1])
    })

    it('goes on recording, and loses nothing, when the clock jumps back over closed windows', async () => {
      const setting = await setUp()
      await record(setting, { count: 3000, everyMs: 1000, seed: 3 })
      setting.clock.jumpWall(-40 * 60_000)
      await record(setting, { count: 1000, everyMs: 997, seed: 4 })
      setting.clock.jumpWall(40 * 60_000)
      await record(setting, { count: 700, everyMs: 1000, seed: 5 })
      const nowMs = setting.clock.nowMs()
      for (const maxPoints of [10_000, 900, 50]) {
        const chart = await draw(setting, startMs - 3_000_000, nowMs, maxPoints)
        expectChartOf(setting.reference, setting.series, chart, maxPoints)
      }
    })

    it('keeps series apart by host, name, labels and unit, and gives each the same id for good', async () => {
      const place = await makePlace()
      stack.push(place)
      const first = await setUp(place)
      expect(new Set(first.ids).size).toBe(keys.length)
      expect(await first.store.registerSeries('local', keys.toReversed())).toEqual(first.series.toReversed())
      const other = await first.store.registerSeries('other', keys)
      expect(other.map(({ id }) => id).some((id) => first.ids.includes(id))).toBe(false)
      await first.store[Symbol.asyncDispose]()
      const second = await setUp(place)
      expect(second.series).toEqual(first.series)
      const more: SeriesKey = { name: 'disk.read', labels: { device: 'vdb' }, unit: 'bytes_per_second' }
      const grown = await second.store.registerSeries('local', [...keys, more])
      expect(grown.slice(0, -1)).toEqual(first.series)
      expect([...first.ids, ...other.map(({ id }) => id)]).not.toContain(grown.at(-1)?.id)
    })

    it('has everything again after it was closed and opened', async () => {
      const place = await makePlace()
      stack.push(place)
      const first = await setUp(place)
      await record(first, { count: 1500, everyMs: 1000, seed: 8, trouble: true })
      await first.store[Symbol.asyncDispose]()
      const second = await setUp(place)
      const nowMs = first.clock.nowMs()
      for (const maxPoints of [5000, 400, 20]) {
        const chart = await draw(second, nowMs - 2_000_000, nowMs, maxPoints)
        expectChartOf(first.reference, first.series, chart, maxPoints)
      }
    })

    it('answers what it does not have with a code', async () => {
      const { store, ids } = await setUp()
      const query = { hostId: 'local', seriesIds: ids, fromMs: startMs, toMs: startMs + 1000, maxPoints: 10 }
      const codeOf = async (change: object) => {
        const chart = await store.chart({ ...query, ...change })
        return chart.ok ? '' : chart.error.code
      }
      expect(await codeOf({ seriesIds: [99_999] })).toBe('NOT_FOUND')
      expect(await codeOf({ hostId: 'nobody' })).toBe('NOT_FOUND')
      expect(await codeOf({ toMs: startMs - 1 })).toBe('BAD_INPUT')
      expect(await codeOf({ maxPoints: 1 })).toBe('BAD_INPUT')
      expect(await codeOf({ fromMs: NaN })).toBe('BAD_INPUT')
    })

    it('throws at rows that do not fit their series: that is a defect of the caller', async () => {
      const { store, ids } = await setUp()
      expect(() => store.append('local', ids, { atMs: startMs, values: Float64Array.of(1) })).toThrow(
        '1 values',
      )
      expect(() => store.append('local', [424_242], { atMs: startMs, values: Float64Array.of(1) })).toThrow(
        '424242',
      )
      expect(() => store.append('other', ids, { atMs: startMs, values: new Float64Array(5) })).toThrow(
        'other',
      )
    })

    it('drops and counts rows that are older than samples are kept for, or at no time at all', async () => {
      const { store, ids, clock } = await setUp()
      store.append('local', ids, { atMs: clock.nowMs() - 8 * 86_400_000, values: new Float64Array(5) })
      store.append('local', ids, { atMs: NaN, values: new Float64Array(5) })
      store.append('local', ids, { atMs: clock.nowMs(), values: new Float64Array(5) })
      expect((await store.flush()).ok).toBe(true)
      expect(store.status()).toMatchObject({ droppedRowCount: 2, pendingRowCount: 0, isWritable: true })
    })

    it('commits by itself within 5 s', async () => {
      const { store, ids, clock } = await setUp()
      store.append('local', ids, { atMs: clock.nowMs(), values: new Float64Array(5) })
      await clock.advance(4999)
      await expect.poll(() => store.status().pendingRowCount, patience).toBe(0)
      expect(store.status().lastCommitMs).toBeGreaterThan(startMs)
    })

    it('leaves no timer behind when it is closed', async () => {
      const { store, clock } = await setUp()
      await store[Symbol.asyncDispose]()
      expect(clock.timerCount).toBe(0)
    })
  })
}
