import { describe, expect, it } from 'vitest'
import type { Chart, SampleRows } from '../../../../src/contract/index.ts'
import { SampleHub, type SampleSource } from '../../../../src/renderer/state/sample-hub.ts'

type ChartInput = Parameters<SampleSource['chart']>[0]

/** An engine and a page of which the test moves every part. */
class Surroundings {
  streams: { hostId: string; seriesIds: number[] }[][] = []
  asked: ChartInput[] = []
  answer: (input: ChartInput) => Promise<Chart> = (input) => Promise.resolve(chartOf(input, []))
  isHidden = false
  nowMs = 100_000
  #samples: ((rows: SampleRows[]) => void)[] = []
  #opens: ((epoch: string) => void)[] = []
  #turns: (() => void)[] = []
  hub = new SampleHub(
    {
      stream: (hosts) => void this.streams.push(hosts),
      onSamples: (listener) => add(this.#samples, listener),
      onOpen: (listener) => add(this.#opens, listener),
      chart: (input) => {
        this.asked.push(input)
        return this.answer(input)
      },
      engineNowMs: () => this.nowMs,
    },
    { isHidden: () => this.isHidden, onChange: (listener) => add(this.#turns, listener) },
  )

  open(epoch: string): Promise<void> {
    for (const listener of this.#opens) listener(epoch)
    return settled()
  }
  hide(isHidden: boolean): Promise<void> {
    this.isHidden = isHidden
    for (const listener of this.#turns) listener()
    return settled()
  }
  rows(hostId: string, seriesIds: number[], timesMs: number[], values: number[]): Promise<void> {
    const row = {
      hostId,
      seriesIds: Float64Array.from(seriesIds),
      timesMs: Float64Array.from(timesMs),
      values: Float64Array.from(values),
    }
    for (const listener of this.#samples) listener([row])
    return settled()
  }
}

function add<Listener>(listeners: Listener[], listener: Listener): () => void {
  listeners.push(listener)
  return () => void listeners.splice(listeners.indexOf(listener), 1)
}

/** All promises that wait for nothing outside have been kept. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

function chartOf({ hostId, seriesIds, fromMs, toMs }: ChartInput, points: [number, number][]): Chart {
  const timesMs = Float64Array.from(points, ([timeMs]) => timeMs)
  const mean = Float64Array.from(points, ([, value]) => value)
  const series = seriesIds.map((seriesId) => ({ seriesId, timesMs, min: mean, mean, max: mean }))
  return { hostId, fromMs, toMs, stepMs: 0, series }
}

const want = (seriesIds: number[], changed = () => undefined as void, windowMs = 60_000) => ({
  hostId: 'local',
  seriesIds,
  windowMs,
  changed,
})

const values = ({ hub }: Surroundings, seriesId: number) => [...hub.columns('local', seriesId).values]

describe('the hub of samples', () => {
  it('streams what all parts of the page want, once each', async () => {
    const at = new Surroundings()
    at.hub.want(want([3, 1]))
    at.hub.want(want([2, 3]))
    at.hub.want({ ...want([9]), hostId: 'db-1' })
    await at.open('a')
    expect(at.streams).toEqual([
      [
        { hostId: 'local', seriesIds: [1, 2, 3] },
        { hostId: 'db-1', seriesIds: [9] },
      ],
    ])
  })

  it('stops streaming what nobody wants any more, and forgets it', async () => {
    const at = new Surroundings()
    const release = at.hub.want(want([1]))
    at.hub.want(want([2]))
    await at.open('a')
    release()
    await settled()
    expect(at.streams.at(-1)).toEqual([{ hostId: 'local', seriesIds: [2] }])
    await at.rows('local', [1, 2], [1000], [5, 6])
    expect(values(at, 1)).toEqual([])
    expect(values(at, 2)).toEqual([6])
  })

  it('keeps streaming without a word when one part gives way to another that wants the same', async () => {
    const at = new Surroundings()
    const release = at.hub.want(want([1]))
    await at.open('a')
    await at.rows('local', [1], [99_000], [5])
    release()
    at.hub.want(want([1]))
    await settled()
    expect(at.streams).toHaveLength(1)
    expect(values(at, 1)).toEqual([5])
  })

  it('loads history of the longest window wanted, then appends', async () => {
    const at = new Surroundings()
    at.answer = (input) =>
      Promise.resolve(
        chartOf(input, [
          [98_000, 1],
          [99_000, 2],
        ]),
      )
    let changes = 0
    at.hub.want(want([1], () => (changes += 1)))
    at.hub.want(want([1], undefined, 30_000))
    await at.open('a')
    expect(at.asked).toMatchObject([{ seriesIds: [1], fromMs: 40_000, toMs: 100_000 }])
    expect(changes).toBe(1)
    await at.rows('local', [1], [100_000], [3])
    expect(values(at, 1)).toEqual([1, 2, 3])
    expect(changes).toBe(2)
  })

  it('asks in portions that the engine takes', async () => {
    const at = new Surroundings()
    at.hub.want(want(Array.from({ length: 150 }, (_, id) => id)))
    await at.open('a')
    expect(at.asked.map(({ seriesIds }) => seriesIds.length)).toEqual([64, 64, 22])
  })

  it('streams nothing while nobody sees the page, and fills the gap afterwards', async () => {
    const at = new Surroundings()
    at.hub.want(want([1]))
    await at.open('a')
    await at.hide(true)
    expect(at.streams.at(-1)).toEqual([])
    at.nowMs = 160_000
    await at.hide(false)
    expect(at.streams.at(-1)).toEqual([{ hostId: 'local', seriesIds: [1] }])
    expect(at.asked).toHaveLength(2)
  })

  it('loads again after each loss of the connection, and keeps what it has meanwhile', async () => {
    const at = new Surroundings()
    at.hub.want(want([1]))
    await at.open('a')
    await at.rows('local', [1], [100_000], [3])
    await at.open('a')
    expect(at.asked).toHaveLength(2)
    expect(values(at, 1)).toEqual([3])
  })

  it('throws away what another launch of the engine told, and its late answers', async () => {
    const at = new Surroundings()
    let answerFirst: (chart: Chart) => void = () => undefined
    at.answer = () => new Promise((resolve) => (answerFirst = resolve))
    at.hub.want(want([1]))
    await at.open('a')
    await at.rows('local', [1], [100_000], [3])
    const late = answerFirst
    await at.open('b')
    expect(values(at, 1)).toEqual([])
    late(chartOf(at.asked[0] as ChartInput, [[90_000, 8]]))
    await settled()
    expect(values(at, 1)).toEqual([])
  })

  it('loads what was left out when rows are far apart', async () => {
    const at = new Surroundings()
    at.hub.want(want([1]))
    await at.open('a')
    await at.rows('local', [1], [100_000], [1])
    await at.rows('local', [1], [101_000], [2])
    expect(at.asked).toHaveLength(1)
    at.nowMs = 131_000
    await at.rows('local', [1], [131_000], [3])
    expect(at.asked).toHaveLength(2)
  })

  it('goes on with live samples when the history is refused', async () => {
    const at = new Surroundings()
    at.answer = () => Promise.reject(new Error('no'))
    at.hub.want(want([1]))
    await at.open('a')
    await at.rows('local', [1], [100_000], [3])
    expect(values(at, 1)).toEqual([3])
  })

  it('knows the newest number of a series that is not measured each time', async () => {
    const at = new Surroundings()
    at.hub.want(want([1]))
    await at.open('a')
    await at.rows('local', [1], [100_000, 101_000, 102_000], [7, Number.NaN, Number.NaN])
    expect(at.hub.latest('local', 1)).toEqual({ atMs: 100_000, value: 7 })
    expect(at.hub.latest('local', 2)).toBeUndefined()
  })
})
