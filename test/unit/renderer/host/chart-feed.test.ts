import { describe, expect, it } from 'vitest'
import type { Chart } from '../../../../src/contract/index.ts'
import { ChartFeed } from '../../../../src/renderer/screens/host/chart-feed.svelte.ts'
import { SampleHub, type SampleSource } from '../../../../src/renderer/state/sample-hub.ts'

const minute = 60_000

/** An engine that holds one sample each second of series 1, worth its own second; `stepMs` bins of it when asked. */
function engine(stepMs = 0) {
  const listeners: Parameters<SampleSource['onSamples']>[0][] = []
  const openings: ((epoch: string) => void)[] = []
  const asked: { fromMs: number; toMs: number }[] = []
  let answer: (chart: Chart) => Chart | Promise<Chart> = (chart) => chart
  let nowMs = 10 * minute
  const chart: SampleSource['chart'] = async ({ hostId, seriesIds, fromMs, toMs, maxPoints }) => {
    const isHub = maxPoints === 5000
    if (!isHub) asked.push({ fromMs, toMs })
    const everyMs = isHub ? 1000 : stepMs || 1000
    const times: number[] = []
    for (let at = Math.ceil(fromMs / everyMs) * everyMs; at <= Math.min(toMs, nowMs); at += everyMs)
      times.push(at)
    const timesMs = Float64Array.from(times)
    const mean = timesMs.map((at) => at / 1000)
    const made: Chart = {
      hostId,
      fromMs,
      toMs,
      stepMs: isHub ? 0 : stepMs,
      series: seriesIds.map((seriesId) => ({ seriesId, timesMs, min: mean, mean, max: mean })),
    }
    return isHub ? made : answer(made)
  }
  const source: SampleSource = {
    stream: () => undefined,
    onSamples: (listener) => {
      listeners.push(listener)
      return () => undefined
    },
    onOpen: (listener) => {
      openings.push(listener)
      return () => undefined
    },
    chart,
    engineNowMs: () => nowMs,
  }
  const hub = new SampleHub(source, { isHidden: () => false, onChange: () => () => undefined })
  openings.forEach((open) => open('first'))
  const feed = new ChartFeed({ hub, chart, hostId: 'local', seriesIds: [1] })
  return {
    feed,
    asked,
    answerWith: (next: typeof answer) => (answer = next),
    /** The next sample is taken and streamed. */
    sample: () => {
      nowMs += 1000
      const rows = {
        hostId: 'local',
        seriesIds: Float64Array.of(1),
        timesMs: Float64Array.of(nowMs),
        values: Float64Array.of(nowMs / 1000),
      }
      for (const listener of listeners) listener([rows])
    },
    now: () => nowMs,
    settled: async () => {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    },
  }
}

const request = (nowMs: number, spanMs = 5 * minute) => ({
  fromMs: nowMs - spanMs,
  toMs: nowMs,
  isLive: true,
  maxPoints: 800,
})
const ignore = () => undefined

describe('the feed of a chart', () => {
  it('continues history with live samples, without a gap and without one twice', async () => {
    const { feed, sample, now, settled } = engine()
    feed.show(request(now()), ignore)
    await settled()
    sample()
    sample()
    const { timesMs } = feed.columns[0] ?? { timesMs: new Float64Array() }
    const steps = [...timesMs].slice(1).map((at, index) => at - (timesMs[index] ?? 0))
    expect(new Set(steps)).toEqual(new Set([1000]))
    expect(timesMs.at(-1)).toBe(now())
    expect(feed.newest(0)).toBe(now() / 1000)
  })

  it('takes in what came while history was on its way', async () => {
    const { feed, sample, now, settled, answerWith } = engine()
    let release: () => void = ignore
    answerWith((chart) => new Promise((resolve) => (release = () => resolve(chart))))
    feed.show(request(now()), ignore)
    await settled()
    sample()
    sample()
    expect(feed.state.kind).toBe('loading')
    release()
    await settled()
    expect(feed.state.kind).toBe('ready')
    expect(feed.columns[0]?.newestMs).toBe(now())
  })

  it('shows the answer to the newest request only, however late an older one comes', async () => {
    const { feed, now, settled, answerWith } = engine()
    const late: (() => void)[] = []
    answerWith((chart) => new Promise((resolve) => late.push(() => resolve(chart))))
    feed.show({ ...request(now()), isLive: false }, ignore)
    feed.show({ ...request(now(), minute), isLive: false }, ignore)
    await settled()
    late[1]?.()
    await settled()
    late[0]?.()
    await settled()
    expect(feed.columns[0]?.timesMs[0]).toBe(now() - minute)
  })

  it('stands still while the request is not live', async () => {
    const { feed, sample, now, settled } = engine()
    const stoppedMs = now()
    feed.show({ ...request(stoppedMs), isLive: false }, ignore)
    await settled()
    sample()
    expect(feed.columns[0]?.newestMs).toBe(stoppedMs)
    expect(feed.newest(0)).toBe(stoppedMs / 1000)
  })

  it('keeps what stands on screen when a call fails, says why, and recovers', async () => {
    const { feed, now, settled, answerWith } = engine()
    feed.show(request(now()), ignore)
    await settled()
    const before = feed.columns[0]?.length
    answerWith(() => Promise.reject(Object.assign(new Error('lost'), { code: 'UNAVAILABLE' })))
    feed.again()
    await settled()
    expect(feed.state).toMatchObject({ kind: 'failed', failure: { code: 'UNAVAILABLE', isRetryable: true } })
    expect(feed.columns[0]?.length).toBe(before)
    answerWith((chart) => chart)
    feed.again()
    await settled()
    expect(feed.state.kind).toBe('ready')
  })

  it('asks again for long ranges as their bins fill, and is not drawn for each sample', async () => {
    const { feed, sample, now, settled, asked } = engine(2 * minute)
    feed.show(request(now(), 24 * 60 * minute), ignore)
    await settled()
    const drawn = feed.version
    for (let second = 0; second < 130; second++) sample()
    await settled()
    expect(asked).toHaveLength(2)
    expect(feed.version - drawn).toBeLessThanOrEqual(4)
    expect(feed.pulse).toBeGreaterThanOrEqual(130)
  })

  it('neither loads nor follows while nobody can see it', async () => {
    const { feed, sample, now, settled, asked } = engine()
    feed.show(request(now()), ignore)
    await settled()
    feed.rest()
    const pulse = feed.pulse
    sample()
    await settled()
    expect(feed.pulse).toBe(pulse)
    expect(asked).toHaveLength(1)
  })
})
