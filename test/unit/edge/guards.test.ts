import { describe, expect, it } from 'vitest'
import { seededRng } from '../../../src/base/index.ts'
import { breakerSchema, guardsSchema } from '../../../src/contract/index.ts'
import { AddressList, plainAddress } from '../../../src/edge/guards/address-list.ts'
import { Breaker } from '../../../src/edge/guards/breaker.ts'
import { Gate } from '../../../src/edge/guards/gate.ts'
import { RateLimit } from '../../../src/edge/guards/rate-limit.ts'
import { isShed, urgencyOf } from '../../../src/edge/guards/shedding.ts'
import { VirtualClock } from '../../support/clock.ts'

describe('the circuit of a release', () => {
  const settings = breakerSchema.parse({
    failureRatio: 0.5,
    window: 10,
    minAttempts: 4,
    openMs: 1000,
    probes: 2,
  })
  const failing = (count: number, nowMs = 0) => {
    const breaker = new Breaker(settings)
    for (let i = 0; i < count; i++) {
      breaker.end(breaker.begin(nowMs), 'failed', nowMs)
    }
    return breaker
  }

  it('opens when half of the newest attempts failed, not before it has seen enough', () => {
    expect(failing(3).allows(0)).toBe(true)
    expect(failing(4).allows(0)).toBe(false)
    expect(failing(4).circuit(0)).toBe('open')
  })

  it('forgets failures that are older than its window', () => {
    const breaker = new Breaker(settings)
    const end = (isFailure: boolean, count: number) => {
      for (let i = 0; i < count; i++) breaker.end(breaker.begin(0), isFailure ? 'failed' : 'succeeded', 0)
    }
    end(false, 6)
    end(true, 4)
    end(false, 10)
    end(true, 4)
    expect(breaker.circuit(0)).toBe('closed')
    breaker.end(breaker.begin(0), 'failed', 0)
    expect(breaker.circuit(0)).toBe('open')
  })

  it('lets only its probes through when half open, and closes when all succeed', () => {
    const breaker = failing(4)
    expect(breaker.allows(999)).toBe(false)
    expect(breaker.circuit(1000)).toBe('half_open')
    const probes = [breaker.begin(1000), breaker.begin(1000)]
    expect(breaker.allows(1000)).toBe(false)
    for (const probe of probes) breaker.end(probe, 'succeeded', 1000)
    expect(breaker.circuit(1000)).toBe('closed')
  })

  it.each(['succeeded', 'failed'] as const)(
    'is not decided about by an attempt from before it opened that %s meanwhile',
    (how) => {
      const breaker = new Breaker(settings)
      const early = Array.from({ length: 8 }, () => breaker.begin(0))
      for (const attempt of early.slice(0, 4)) breaker.end(attempt, 'failed', 0)
      expect(breaker.circuit(0)).toBe('open')
      const probe = breaker.begin(1000)
      for (const attempt of early.slice(4)) breaker.end(attempt, how, 1000)
      expect(breaker.circuit(1000)).toBe('half_open')
      breaker.end(probe, 'succeeded', 1000)
      breaker.end(breaker.begin(1000), 'succeeded', 1000)
      expect(breaker.circuit(1000)).toBe('closed')
    },
  )

  it('gives the place of a probe that its client left to another one, and counts it for nothing', () => {
    const breaker = failing(4)
    const probes = [breaker.begin(1000), breaker.begin(1000)]
    breaker.end(probes[0]!, 'abandoned', 1000)
    expect(breaker.allows(1000)).toBe(true)
    expect(breaker.circuit(1000)).toBe('half_open')
    for (const probe of [probes[1]!, breaker.begin(1000)]) breaker.end(probe, 'succeeded', 1000)
    expect(breaker.circuit(1000)).toBe('closed')
    const calm = new Breaker(settings)
    for (let i = 0; i < 3; i++) calm.end(calm.begin(0), 'failed', 0)
    for (let i = 0; i < 3; i++) calm.end(calm.begin(0), 'abandoned', 0)
    calm.end(calm.begin(0), 'failed', 0)
    expect(calm.circuit(0)).toBe('open')
  })

  it('opens again at the first failure of a probe', () => {
    const breaker = failing(4)
    breaker.end(breaker.begin(1000), 'failed', 1000)
    expect(breaker.allows(1999)).toBe(false)
    expect(breaker.allows(2000)).toBe(true)
  })
})

describe('the rate limit', () => {
  it('lets a burst through, then its rate, and says how long to wait', () => {
    const limit = new RateLimit({ requestsPerSecond: 10, burst: 3, per: 'service' })
    expect([0, 0, 0].map((nowMs) => limit.take('a', nowMs))).toEqual([0, 0, 0])
    expect(limit.take('a', 0)).toBeCloseTo(100)
    expect(limit.take('b', 99)).toBeCloseTo(1)
    expect(limit.take('b', 100)).toBe(0)
  })

  it('counts each client alone when it is told to', () => {
    const limit = new RateLimit({ requestsPerSecond: 1, burst: 1, per: 'client' })
    expect(limit.take('a', 0)).toBe(0)
    expect(limit.take('b', 0)).toBe(0)
    expect(limit.take('a', 0)).toBeCloseTo(1000)
  })

  it('passes its rate over any time, whatever the asking', () => {
    const limit = new RateLimit({ requestsPerSecond: 50, burst: 5, per: 'service' })
    let passed = 0
    for (let nowMs = 0; nowMs < 10_000; nowMs += 1) passed += Number(limit.take('', nowMs) === 0)
    expect(passed).toBeGreaterThanOrEqual(500)
    expect(passed).toBeLessThanOrEqual(505)
  })
})

describe('load shedding', () => {
  it.each([
    ['u=0', 0],
    ['i, u=7', 7],
    ['u=5, i', 5],
    ['u=9', 3],
    ['', 3],
    [undefined, 3],
  ])('reads the urgency of "%s" as %s', (header, urgency) => expect(urgencyOf(header)).toBe(urgency))

  it('refuses its share of requests, and none that is urgent enough', () => {
    const shedding = { percent: 30, sparesUrgencyBelow: 3 }
    const rng = seededRng(5)
    const shed = Array.from({ length: 10_000 }, () => isShed(shedding, undefined, rng.next())).filter(Boolean)
    expect(Math.abs(shed.length - 3000)).toBeLessThan(150)
    expect(isShed(shedding, 'u=2', 0)).toBe(false)
    expect(isShed(null, undefined, 0)).toBe(false)
  })
})

describe('the allow-list of a lock-down', () => {
  const list = new AddressList(['192.0.2.7', '10.0.0.0/8', '2001:db8::/32'])

  it.each([
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['10.255.0.1', true],
    ['2001:db8::1', true],
    ['2001:db9::1', false],
    ['no address', false],
  ])('knows whether %s may enter: %s', (address, may) => expect(list.has(address)).toBe(may))

  it('knows an IPv4 address on an IPv6 socket', () => {
    expect(list.has(plainAddress('::ffff:10.1.2.3'))).toBe(true)
  })

  it.each(['10.0.0.0/33', 'example.org', '10.0.0.0/8/8', '2001:db8::/129', '10.0.0.0/-1', ''])(
    'refuses "%s" by name',
    (entry) => expect(() => new AddressList([entry])).toThrow(`"${entry}"`),
  )
})

describe('the gate of a service', () => {
  it('refuses a locked-out client first, and keeps its guards when new ones are wrong', () => {
    const clock = new VirtualClock()
    const gate = new Gate(clock, seededRng(1), guardsSchema.parse({ lockdown: { allow: ['127.0.0.1'] } }))
    expect(gate.refuse('192.0.2.1', undefined)?.status).toBe(403)
    expect(gate.refuse('127.0.0.1', undefined)).toBe(null)
    expect(() => gate.set(guardsSchema.parse({ lockdown: { allow: ['nonsense'] } }))).toThrow()
    expect(gate.refuse('192.0.2.1', undefined)?.status).toBe(403)
  })

  it('closes the way to a release whose circuit is held open, whatever its attempts', () => {
    const gate = new Gate(new VirtualClock(), seededRng(1), guardsSchema.parse({ openCircuits: ['r2'] }))
    expect([gate.allows('r1'), gate.allows('r2')]).toEqual([true, false])
    expect(gate.circuits()).toEqual({ r2: 'open' })
  })

  it('keeps a rate limit that is set again as it was', () => {
    const rateLimit = { requestsPerSecond: 1, burst: 1, per: 'service' as const }
    const gate = new Gate(new VirtualClock(), seededRng(1), guardsSchema.parse({ rateLimit }))
    expect(gate.refuse('a', undefined)).toBe(null)
    gate.set(guardsSchema.parse({ rateLimit, shedding: { percent: 0 } }))
    expect(gate.refuse('a', undefined)).toMatchObject({ status: 429, retryAfterSeconds: 1 })
  })
})
