import { describe, expect, it } from 'vitest'
import { ok } from '../../../../src/base/index.ts'
import { serviceDefinitionSchema, type Bin } from '../../../../src/contract/index.ts'
import type { Router, Target } from '../../../../src/engine/platforms/index.ts'
import { TrafficWatch, type TrafficStores } from '../../../../src/engine/services/traffic-watch.ts'
import { VirtualClock } from '../../../support/clock.ts'
import { uneventful } from '../../../support/uneventful.ts'

/** A router that counts what it is told to, a second a bin, and holds the newest quarter of an hour. */
class Counting {
  readonly clock = new VirtualClock()
  readonly stored = new Map<string, Bin>()
  watch: TrafficWatch
  #over = new AbortController()
  #fresh: Bin[] = []
  #kept: Bin[] = []
  /** Which bin of the histogram all requests fall into. */
  latencySlot = 0
  releaseId = 'r1'

  constructor() {
    this.watch = this.#begin()
  }

  /** The engine dies; another one starts, on the same store and the same router. */
  restart() {
    this.#over.abort()
    this.#over = new AbortController()
    this.#fresh = this.#kept.filter(({ atMs }) => atMs >= this.clock.nowMs() - 900_000)
    this.watch = this.#begin()
  }

  #begin(): TrafficWatch {
    const router = {
      declare: () => Promise.resolve(ok({ address: 'http://127.0.0.1:1' })),
      bins: () => Promise.resolve(ok({ bins: this.#fresh.splice(0), cursor: '1' })),
    } as Partial<Router> as Router
    const definition = serviceDefinitionSchema.parse({ name: 'shop', listen: {} })
    const service = { definition, router, target: {} as Target }
    const stores: TrafficStores = {
      traffic: {
        minutesOf: () => Promise.resolve(ok([...this.stored.values()].sort((a, b) => a.atMs - b.atMs))),
      },
      work: {
        commit: (changes) => {
          for (const { minutes, fromMs } of changes) {
            for (const bin of minutes) this.stored.set(`${bin.atMs} ${bin.releaseId}`, bin)
            for (const [key, { atMs }] of this.stored) if (atMs < fromMs) this.stored.delete(key)
          }
          return Promise.resolve(ok(undefined))
        },
      },
    }
    const watch = new TrafficWatch(service, { clock: this.clock, stores, changed: () => undefined })
    void watch.run(this.#over.signal, { beat: () => undefined })
    return watch
  }

  /** So many seconds, with what `requestsAt` and `errorsAt` say of each. */
  async seconds(
    count: number,
    requestsAt: (second: number) => number,
    errorsAt: (second: number) => number = () => 0,
    abandonedAt: (second: number) => number = () => 0,
  ) {
    for (let second = 0; second < count; second++) {
      const requests = requestsAt(second)
      const atMs = this.clock.nowMs()
      const bin = {
        durationMs: 1000,
        releaseId: this.releaseId,
        ...uneventful,
        timeouts: 0,
        inFlight: 0,
        oldestInFlightMs: 0,
      }
      const counted = {
        ...bin,
        atMs,
        requests,
        errors: errorsAt(second),
        abandoned: abandonedAt(second),
        latencyCounts: [...new Array<number>(this.latencySlot).fill(0), requests],
      }
      this.#fresh.push(counted)
      this.#kept.push(counted)
      await this.clock.advance(1000)
    }
  }

  get rate() {
    return this.watch.slis(this.clock.nowMs())['r1']?.requestsPerSecond
  }

  get failures() {
    return this.watch.failures('r1', this.clock.nowMs())
  }
}

describe('the traffic of a service', () => {
  it('is none of the hour that a clock was set back by', async () => {
    const counting = new Counting()
    await counting.seconds(60, () => 100)
    counting.clock.jumpWall(-3_600_000)
    await counting.seconds(10, () => 5)
    expect(counting.rate).toBeLessThan(10)
    expect(counting.failures?.requests).toBeLessThan(100)
  })
})

describe('the failures of a release', () => {
  it('are of the newest ten seconds where those have enough requests', async () => {
    const counting = new Counting()
    await counting.seconds(
      120,
      () => 100,
      (second) => (second >= 100 ? 50 : 0),
    )
    const { requests, errors, windowMs } = counting.failures ?? {}
    expect(requests).toBe(1000)
    expect(errors).toBe(500)
    expect(windowMs).toBe(10_000)
  })

  it('go as far back as it takes for a hundred requests, five minutes at most', async () => {
    const slow = new Counting()
    await slow.seconds(
      200,
      () => 1,
      (second) => second % 2,
    )
    expect(slow.failures).toEqual({ requests: 100, errors: 50, abandoned: 0, windowMs: 100_000 })
    const rare = new Counting()
    await rare.seconds(600, (second) => (second % 30 === 0 ? 1 : 0))
    expect(rare.failures?.requests).toBe(10)
    expect(rare.failures?.windowMs).toBeLessThanOrEqual(300_000)
  })

  it('are nothing of a release that nobody asked anything', async () => {
    expect(new Counting().failures).toBeNull()
  })
})

describe('requests that clients gave up on', () => {
  it('are traffic of the release and of the service, with their share', async () => {
    const counting = new Counting()
    const none = () => 0
    await counting.seconds(60, none, none, () => 4)
    const slis = counting.watch.slis(counting.clock.nowMs())
    for (const key of ['', 'r1'])
      expect(slis[key]).toMatchObject({ requestsPerSecond: 4, abandonedRatio: 1, errorRatio: null })
    expect(counting.failures).toMatchObject({ requests: 0, errors: 0, windowMs: 25_000, abandoned: 100 })
    expect(counting.watch.requestsPerSecond(counting.clock.nowMs())).toBeCloseTo(4, 0)
  })
})

describe('the traffic of a service, before a deployment', () => {
  it('is a mean over the last minutes, and unknown while too little was seen', async () => {
    const counting = new Counting()
    await counting.seconds(10, () => 3)
    expect(counting.watch.requestsPerSecond(counting.clock.nowMs())).toBeNull()
    await counting.seconds(50, () => 3)
    expect(counting.watch.requestsPerSecond(counting.clock.nowMs())).toBeCloseTo(3, 0)
  })
})

describe('the latency of the stable release', () => {
  it('is held against what it was before: slower is told, noise is not', async () => {
    const counting = new Counting()
    counting.latencySlot = 60
    await counting.seconds(300, () => 10)
    const now = () => counting.watch.latency('r1', counting.clock.nowMs())
    expect(now()?.isSlower).toBe(false)
    counting.latencySlot += 16
    await counting.seconds(60, () => 10)
    expect(now()?.isSlower).toBe(true)
    expect((now()?.p95Ms ?? 0) / (now()?.usualP95Ms ?? 1)).toBeCloseTo(4, 0)
  })

  it('stays slower than usual for as long as it is, also over a restart, and no longer', async () => {
    const counting = new Counting()
    counting.latencySlot = 60
    await counting.seconds(600, () => 10)
    const isSlower = () => counting.watch.latency('r1', counting.clock.nowMs())?.isSlower
    counting.latencySlot += 16
    await counting.seconds(60, () => 10)
    for (let minute = 0; minute < 50; minute++) {
      expect(isSlower()).toBe(true)
      await counting.seconds(60, () => 10)
    }
    counting.restart()
    await counting.seconds(120, () => 10)
    expect(isSlower()).toBe(true)
    counting.latencySlot -= 16
    await counting.seconds(120, () => 10)
    expect(isSlower()).toBe(false)
    // What was slow meanwhile has not become usual.
    counting.latencySlot += 16
    await counting.seconds(60, () => 10)
    expect(isSlower()).toBe(true)
  })

  it('is that of a new release from its first minutes on', async () => {
    const counting = new Counting()
    counting.latencySlot = 60
    await counting.seconds(600, () => 10)
    counting.latencySlot += 16
    counting.releaseId = 'r2'
    await counting.seconds(600, () => 10)
    expect(counting.watch.latency('r2', counting.clock.nowMs())?.isSlower).toBe(false)
  })

  it('is not judged on few requests', async () => {
    const counting = new Counting()
    await counting.seconds(200, () => 1)
    expect(counting.watch.latency('r1', counting.clock.nowMs())).toBeNull()
  })
})

describe('the history of a service', () => {
  it('is by second for half an hour and by minute for six hours, and loses no request', async () => {
    const counting = new Counting()
    const seconds = 40 * 60
    await counting.seconds(seconds, () => 2)
    const all = counting.watch.since(0)
    const sum = (bins: readonly Bin[]) => bins.reduce((total, { requests }) => total + requests, 0)
    expect(sum(all)).toBeGreaterThanOrEqual(seconds * 2 - 4)
    expect(all.length).toBeLessThan(35 * 60)
    const minutes = counting.watch.since(0, 60_000)
    expect(sum(minutes)).toBe(sum(all))
    expect(minutes.length).toBeLessThanOrEqual(42)
    expect(minutes[0]?.durationMs).toBe(60_000)
  })

  it('is whole after a restart of the engine, and no request is in it twice', async () => {
    const counting = new Counting()
    await counting.seconds(20 * 60 + 17, () => 2)
    const sum = () => counting.watch.since(0, 60_000).reduce((total, { requests }) => total + requests, 0)
    const before = sum()
    counting.restart()
    await counting.seconds(90, () => 2)
    expect(sum()).toBeGreaterThanOrEqual(before + 2 * 90 - 4)
    expect(sum()).toBeLessThanOrEqual(before + 2 * 90 + 4)
  })

  it('is stored for six hours and no longer', async () => {
    const counting = new Counting()
    await counting.seconds(400, () => 1)
    const [minute] = [...counting.stored.values()]
    expect(minute?.requests).toBeGreaterThan(30)
    const atMs = counting.clock.nowMs()
    for (const hours of [7, 5])
      counting.stored.set(`of ${hours} h ago`, { ...minute!, atMs: atMs - hours * 3_600_000 })
    counting.restart()
    await counting.seconds(400, () => 1)
    expect(counting.watch.since(0)[0]?.atMs).toBe(atMs - 5 * 3_600_000)
    expect([...counting.stored.keys()]).not.toContain('of 7 h ago')
  })
})
