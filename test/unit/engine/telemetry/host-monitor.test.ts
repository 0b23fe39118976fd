import { describe, expect, it } from 'vitest'
import type { SeriesName } from '../../../../src/contract/index.ts'
import {
  createHostMonitor,
  defaultLimits,
  type HostMonitor,
  type SeriesKey,
} from '../../../../src/engine/telemetry/index.ts'
import { calm, catalogOf, key, moment, readingAt, startMs, valuesOf } from './made-host.ts'

const monitorOf = (ringCapacity = 3600) =>
  createHostMonitor({ hostId: 'web-1', intervalMs: 1000, ringCapacity })

/** Feeds readings each second in [from, to), and the ticks of the seconds. */
function feed(
  monitor: HostMonitor,
  from: number,
  to: number,
  replaced: (second: number) => Partial<Record<SeriesName, number>> = () => ({}),
) {
  for (let second = from; second < to; second++) {
    monitor.observe(readingAt(second, valuesOf(calm, replaced(second))), catalogOf(calm), moment(second))
    monitor.tick(moment(second))
  }
}

const texts = (monitor: HostMonitor) => monitor.state().health.reasons.map(({ text }) => text)

describe('a host monitor', () => {
  it('does not know how much is in use before it has measured for half of the hold time', () => {
    const monitor = monitorOf()
    const known = () => monitor.state().use.flatMap(({ kind, ratio }) => (ratio === null ? [] : [kind]))
    const seconds = Math.min(defaultLimits.cpu.holdMs, defaultLimits.memory.holdMs) / 2000
    feed(monitor, 0, seconds - 1)
    expect(known()).toEqual(['disk'])
    feed(monitor, seconds - 1, seconds)
    expect(known()).toEqual(['cpu', 'memory', 'disk'])
  })

  it('gives a calm host 100 points, no reason, no broken limit and data that can be judged', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 120)
    expect(monitor.state()).toMatchObject({
      quality: { freshness: 'fresh', lastSampleMs: startMs + 119_000, canBeJudged: true, reasons: [] },
      health: { score: 100, severity: 'ok', reasons: [] },
      limits: [],
      forecasts: [],
    })
    expect(monitor.state().use).toEqual([
      { kind: 'cpu', subject: '', ratio: 0.12 },
      { kind: 'memory', subject: '', ratio: 0.5 },
      { kind: 'disk', subject: '/', ratio: 0.333 },
    ])
    expect(monitor.state().quality.counts).toEqual({
      fresh: 120,
      late: 0,
      stale: 0,
      gaps: 0,
      notNumbers: 0,
      counterResets: 0,
      duplicates: 0,
      outOfOrder: 0,
      clockSkews: 0,
      unitJumps: 0,
    })
  })

  it('knows nothing before the first reading, and says so', () => {
    const monitor = monitorOf()
    monitor.tick(moment(0))
    expect(monitor.state().health).toMatchObject({ score: null, severity: 'stale' })
    expect(texts(monitor)).toEqual(['unknown: no reading yet'])
    expect(monitor.state().quality).toMatchObject({ canBeJudged: false, reasons: ['no reading yet'] })
    expect(monitor.lastScore()).toBeNull()
  })

  it('names a busy CPU only once it has been busy over the hold time, and lets it go with the load', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 60)
    feed(monitor, 60, 70, () => ({ 'cpu.busy': 1 }))
    expect(monitor.state().limits).toEqual([])
    feed(monitor, 70, 100, () => ({ 'cpu.busy': 0.9 }))
    expect(monitor.state().limits).toMatchObject([{ kind: 'cpu', severity: 'warning', series: 'cpu.busy' }])
    expect(texts(monitor)).toEqual(['CPU use at 90% (30 s mean)'])
    const sinceMs = monitor.state().limits[0]?.sinceMs ?? 0
    expect(sinceMs).toBeGreaterThan(startMs + 70_000)
    feed(monitor, 100, 110, () => ({ 'cpu.busy': 0.9 }))
    expect(monitor.state().limits[0]?.sinceMs).toBe(sinceMs)
    feed(monitor, 110, 140)
    expect(monitor.state().health.score).toBe(100)
  })

  it('finds a disk by what is left to users, not by what root may still take', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 30, () => ({ 'filesystem.used': 86e9, 'filesystem.available': 14e9 }))
    expect(texts(monitor)).toEqual(['disk / at 86%'])
    expect(monitor.state().limits[0]).toMatchObject({ kind: 'disk', subject: '/' })
    expect(monitor.state().limits[0]?.value).toBeCloseTo(0.86)
  })

  it('turns silent hosts late, then stale: the score becomes unknown, neither 0 nor its last one', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 60)
    monitor.tick(moment(62))
    expect(monitor.state().health).toMatchObject({ score: 95, severity: 'ok' })
    expect(texts(monitor)).toEqual(['the newest reading is 3 s old'])
    monitor.tick(moment(69))
    expect(monitor.state().health).toMatchObject({ score: null, severity: 'stale' })
    expect(texts(monitor)).toEqual(['unknown: no reading for 10 s'])
    expect(monitor.lastScore()).toBe(95)
    feed(monitor, 70, 80)
    expect(monitor.state()).toMatchObject({
      health: { score: 100 },
      quality: { counts: { late: 1, stale: 1, gaps: 1 } },
    })
  })

  it('ignores duplicates and readings out of order, but counts them', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 30)
    const busy = valuesOf(calm, { 'cpu.busy': 1 })
    expect(monitor.observe(readingAt(29, busy), catalogOf(calm), moment(30))).toBe('duplicate')
    expect(monitor.observe(readingAt(20, busy), catalogOf(calm), moment(30))).toBe('outOfOrder')
    expect(monitor.ring.length).toBe(30)
    expect(monitor.state().quality.counts).toMatchObject({ duplicates: 1, outOfOrder: 1 })
  })

  it('follows a catalogue that grows: a new disk gets its limit', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 30)
    const usb = { mount: '/media/usb', device: '/dev/sdb1' }
    const grown = [
      ...calm,
      [key('filesystem.used', usb), 99e9] as const,
      [key('filesystem.available', usb), 1e9] as const,
    ].map(([series, value]) => [series, value] as [typeof series, number])
    for (let second = 30; second < 60; second++) {
      monitor.observe(
        readingAt(second, valuesOf(grown), { catalogVersion: 2 }),
        catalogOf(grown, 2),
        moment(second),
      )
    }
    expect(texts(monitor)).toEqual(['disk /media/usb at 99%'])
    expect(monitor.seriesQuality()).toHaveLength(grown.length)
  })

  it('forgets the past of a slot that is given to another series', () => {
    const monitor = createHostMonitor({ hostId: 'h', intervalMs: 1000 })
    const before: [SeriesKey, number][] = [[key('disk.busy', { device: 'sdx' }), 0.5]]
    const after: [SeriesKey, number][] = [[key('disk.busy', { device: 'sdy' }), 0.1]]
    for (let second = 0; second < 5; second++)
      monitor.observe(readingAt(second, valuesOf(before)), catalogOf(before), moment(second))
    monitor.observe(readingAt(5, valuesOf(after)), catalogOf(after, 2), moment(5))
    const history = monitor.historySince({ durationMs: 10_000, slots: [0], maxPoints: 100 })
    expect([...(history.series[0]?.mean ?? [])]).toEqual([NaN, NaN, NaN, NaN, NaN, 0.1])
    expect(monitor.seriesQuality()[0]?.counts.fresh).toBe(1)
  })

  it('watches one mount of a device that is mounted many times, and each of the file systems in memory', () => {
    const monitor = monitorOf()
    const mounts = [
      ['/etc/hosts', '/dev/sda1'],
      ['/', '/dev/sda1'],
      ['/etc/resolv.conf', '/dev/sda1'],
      ['/run', 'tmpfs'],
      ['/dev/shm', 'tmpfs'],
    ].map(([mount = '', device = '']) => ({ mount, device }))
    const host = mounts.flatMap((labels): typeof calm => [
      [key('filesystem.used', labels), 9],
      [key('filesystem.available', labels), 1],
    ])
    for (let second = 0; second < 30; second++) {
      monitor.observe(readingAt(second, valuesOf(host)), catalogOf(host), moment(second))
    }
    expect(monitor.limitStates().map(({ subject }) => subject)).toEqual(['/', '/run', '/dev/shm'])
  })

  it('forecasts a disk that fills steadily, and names it before its limit is reached', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 3000, (second) => ({
      'filesystem.used': 50e9 + second * 5e6,
      'filesystem.available': 50e9 - second * 5e6,
    }))
    const [forecast] = monitor.state().forecasts
    expect(((forecast?.fullAtMs ?? 0) - startMs) / 1000).toBeCloseTo(10_000, -2)
    expect(texts(monitor)).toEqual(['disk / full in about 2 h'])
    expect(forecast?.sinceMs).toBeLessThan(startMs + 1_000_000)
  })

  it('says which limits are in force, as ratios', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 2)
    expect(monitor.state().thresholds?.['cpu']).toEqual({ warning: 0.8, critical: 0.95 })
    monitor.setLimits({ ...defaultLimits, cpu: { warning: 0.5, critical: 0.7, holdMs: 10_000 } })
    expect(monitor.state().thresholds?.['cpu']).toEqual({ warning: 0.5, critical: 0.7 })
  })

  it('stays fresh and complete when the interval between readings changes, either way', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 120)
    monitor.setInterval(60_000)
    const at = (second: number) => {
      monitor.observe(readingAt(second, valuesOf(calm)), catalogOf(calm), moment(second))
      monitor.tick(moment(second))
      return monitor.state().quality
    }
    for (const second of [120, 180, 240]) expect(at(second)).toMatchObject({ freshness: 'fresh' })
    monitor.tick(moment(290))
    expect(monitor.state().quality.freshness).toBe('fresh')
    monitor.setInterval(1000)
    for (let second = 300; second < 330; second++) expect(at(second)).toMatchObject({ freshness: 'fresh' })
    expect(monitor.state().quality.canBeJudged).toBe(true)
  })

  it('judges by new limits at once, and by open alerts', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 60)
    monitor.setLimits({ ...defaultLimits, memory: { warning: 0.4, critical: 0.6, holdMs: 10_000 } })
    expect(texts(monitor)).toEqual(['memory use at 50%'])
    monitor.setAlerts([{ severity: 'critical', text: 'checkout fails', sinceMs: startMs, series: '' }])
    expect(monitor.state().health).toMatchObject({ score: 40, severity: 'critical' })
    expect(texts(monitor)).toEqual(['checkout fails', 'memory use at 50%'])
  })

  it('does not take missing swap, sensors or packets for a problem', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 60, () => ({ 'network.packets_received': 0, temperature: NaN }))
    expect(monitor.state().health.score).toBe(100)
    expect(monitor.limitStates().find(({ kind }) => kind === 'swap')).toMatchObject({
      severity: 'stale',
      value: null,
    })
  })

  it.each([
    [0.9, 5, []],
    [20, 1000, ['network errors on eth0 at 2% (1 min mean)']],
  ])('with %d errors beside %d good packets a second says %j', (errors, packets, said) => {
    const monitor = monitorOf()
    feed(monitor, 0, 60, () => ({ 'network.receive_errors': errors, 'network.packets_received': packets }))
    expect(texts(monitor)).toEqual(said)
  })

  it('judges a host that is read once a minute by its newest reading', () => {
    const monitor = createHostMonitor({ hostId: 'slow', intervalMs: 60_000 })
    for (let minute = 0; minute < 6; minute++) {
      const values = valuesOf(calm, { 'cpu.busy': minute < 5 ? 0.1 : 0.9 })
      monitor.observe(readingAt(minute * 60, values), catalogOf(calm), moment(minute * 60))
    }
    expect(texts(monitor)).toEqual(['CPU use at 90% (30 s mean)'])
    expect(monitor.state().quality.freshness).toBe('fresh')
  })

  it('keeps labels from outside out of the grammar of its sentences', () => {
    const monitor = monitorOf()
    const labels = { mount: `/\u202Eevil\n\u0000${'x'.repeat(200)}`, device: '/dev/sdz' }
    const host: typeof calm = [
      [key('filesystem.used', labels), 9],
      [key('filesystem.available', labels), 1],
    ]
    for (let second = 0; second < 30; second++) {
      monitor.observe(readingAt(second, valuesOf(host)), catalogOf(host), moment(second))
    }
    const [text = ''] = texts(monitor)
    expect(text).toMatch(/^disk \/evilx+… at 90%$/)
    expect(text.length).toBeLessThan(110)
  })

  it('refuses values without a series as the bug they are', () => {
    const monitor = monitorOf()
    const tooMany = new Float64Array(calm.length + 1)
    expect(() => monitor.observe(readingAt(0, tooMany), catalogOf(calm), moment(0))).toThrow(RangeError)
  })

  it('gives the same state object until something happens', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 10)
    expect(monitor.state()).toBe(monitor.state())
  })

  it('says where a metric is heading', () => {
    const monitor = monitorOf()
    feed(monitor, 0, 300, (second) => ({ 'cpu.busy': 0.1 + second * 0.001 }))
    const trend = monitor.trend(0, 200_000)
    expect(trend).toMatchObject({ direction: 'rising' })
    expect(trend?.slopePerSecond).toBeCloseTo(0.001)
    expect(monitor.trend(4, 200_000)?.direction).toBe('steady')
    expect(monitor.trend(999, 200_000)).toBeUndefined()
  })
})
