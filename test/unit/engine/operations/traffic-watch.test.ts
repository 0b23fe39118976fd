import { describe, expect, it } from 'vitest'
import { serviceDefinitionSchema, type Bin } from '../../../../src/contract/index.ts'
import { ok } from '../../../../src/engine/core/index.ts'
import type { Router, Target } from '../../../../src/engine/services/index.ts'
import { TrafficWatch } from '../../../../src/engine/operations/traffic-watch.ts'
import { VirtualClock } from '../../../support/clock.ts'

/** A router that counts what it is told to, a second a bin. */
class Counting {
  readonly clock = new VirtualClock()
  readonly watch: TrafficWatch
  readonly #over = new AbortController()
  #fresh: Bin[] = []

  constructor() {
    const router = {
      declare: () => Promise.resolve(ok({ address: 'http://127.0.0.1:1' })),
      bins: () => Promise.resolve(ok({ bins: this.#fresh.splice(0), cursor: '1' })),
    } as Partial<Router> as Router
    const definition = serviceDefinitionSchema.parse({ name: 'shop', listen: {} })
    const service = { definition, router, target: {} as Target }
    this.watch = new TrafficWatch(service, this.clock, () => undefined)
    void this.watch.run(this.#over.signal, { beat: () => undefined })
  }

  /** So many seconds, with what `requestsAt` and `errorsAt` say of each. */
  async seconds(
    count: number,
    requestsAt: (second: number) => number,
    errorsAt: (second: number) => number = () => 0,
  ) {
    for (let second = 0; second < count; second++) {
      const requests = requestsAt(second)
      const atMs = this.clock.nowMs()
      const bin = { durationMs: 1000, releaseId: 'r1', timeouts: 0, inFlight: 0, oldestInFlightMs: 0 }
      this.#fresh.push({ ...bin, atMs, requests, errors: errorsAt(second), latencyCounts: [requests] })
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
    expect(slow.failures).toEqual({ requests: 100, errors: 50, windowMs: 100_000 })
    const rare = new Counting()
    await rare.seconds(600, (second) => (second % 30 === 0 ? 1 : 0))
    expect(rare.failures?.requests).toBe(10)
    expect(rare.failures?.windowMs).toBeLessThanOrEqual(300_000)
  })

  it('are nothing of a release that nobody asked anything', async () => {
    expect(new Counting().failures).toBeNull()
  })
})
