import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRng } from '../../../src/base/index.ts'
import { balancings } from '../../../src/contract/index.ts'
import { balancerOf, pointIn, pointOf, releaseAt, ReleaseSplit } from '../../../src/edge/balancing/index.ts'

const candidates = (weights: number[], inFlight: number[] = []) =>
  weights.map((weight, i) => ({ id: `i${i}`, weight, inFlight: inFlight[i] ?? 0 }))

/** How often each was picked, by id. */
function tally(picks: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const id of picks) counts[id] = (counts[id] ?? 0) + 1
  return counts
}

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

describe('every balancer', () => {
  it.each(balancings)('%s picks one of the candidates, and nobody of none', (name) => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ weight: fc.double({ min: 0.01, max: 1, noNaN: true }), inFlight: fc.nat(100) }),
          {
            maxLength: 12,
          },
        ),
        fc.string(),
        fc.nat(),
        (all, key, seed) => {
          const balancer = balancerOf(name, seededRng(seed))
          const named = all.map((one, i) => ({ id: `i${i}`, ...one }))
          const picked = balancer.pick(named, key)
          expect(picked === undefined ? named.length === 0 : named.includes(picked)).toBe(true)
        },
      ),
    )
  })
})

describe('round_robin', () => {
  it('gives each the same, and keeps its turn when one goes', () => {
    const balancer = balancerOf('round_robin', seededRng(1))
    const three = candidates([1, 1, 1])
    expect(tally(times(300, () => balancer.pick(three, '')?.id ?? ''))).toEqual({ i0: 100, i1: 100, i2: 100 })
    expect(balancer.pick(three, '')?.id).toBe('i0')
    expect(balancer.pick(three.slice(0, 1).concat(three.slice(2)), '')?.id).toBe('i2')
  })
})

describe('weighted_round_robin', () => {
  it('deals turns by weight and spreads them as nginx does', () => {
    const balancer = balancerOf('weighted_round_robin', seededRng(1))
    const three = candidates([5, 1, 1])
    // The published example of nginx's smooth weighted round robin: a a b a c a a.
    expect(times(7, () => balancer.pick(three, '')?.id)).toEqual(['i0', 'i0', 'i1', 'i0', 'i2', 'i0', 'i0'])
  })
})

describe('least_connections', () => {
  it('takes the least busy for its weight, and each in turn when all are idle', () => {
    const balancer = balancerOf('least_connections', seededRng(1))
    expect(balancer.pick(candidates([1, 1, 1], [4, 2, 3]), '')?.id).toBe('i1')
    expect(balancer.pick(candidates([1, 0.25], [3, 1]), '')?.id).toBe('i0')
    expect(tally(times(30, () => balancer.pick(candidates([1, 1, 1]), '')?.id ?? ''))).toEqual({
      i0: 10,
      i1: 10,
      i2: 10,
    })
  })
})

describe('power_of_two', () => {
  it('never takes the busiest of all, and loads nearly evenly', () => {
    const balancer = balancerOf('power_of_two', seededRng(7))
    expect(tally(times(500, () => balancer.pick(candidates([1, 1, 1], [0, 9, 1]), '')?.id ?? ''))['i1']).toBe(
      undefined,
    )
    const load = candidates(times(10, () => 1))
    for (let i = 0; i < 10_000; i++) {
      const picked = balancer.pick(load, '')
      if (picked) (picked as { inFlight: number }).inFlight += 1
    }
    const counts = load.map(({ inFlight }) => inFlight)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(10)
  })
})

describe('ip_hash', () => {
  const idle = candidates(times(10, () => 1))
  const pick = (list: typeof idle, key: string) =>
    balancerOf('ip_hash', seededRng(1)).pick(list, key)?.id ?? ''
  const clients = times(2000, (i) => `10.0.${Math.floor(i / 256)}.${i % 256}`)

  it('moves only the clients of an instance that goes', () => {
    const without = idle.filter(({ id }) => id !== 'i3')
    for (const client of clients) {
      const before = pick(idle, client)
      if (before !== 'i3') expect(pick(without, client)).toBe(before)
    }
  })

  it('spreads neighbouring addresses', () => {
    const counts = Object.values(tally(clients.map((client) => pick(idle, client))))
    expect(counts).toHaveLength(10)
    expect(Math.max(...counts)).toBeLessThan(280)
    expect(Math.min(...counts)).toBeGreaterThan(130)
  })

  it('passes over an instance that holds more than 1.25 times the mean', () => {
    const key = clients[0] as string
    const home = pick(idle, key)
    const loaded = idle.map((one) => ({ ...one, inFlight: one.id === home ? 13 : 10 }))
    expect(pick(loaded, key)).not.toBe(home)
    expect(
      pick(
        loaded.map((one) => ({ ...one, inFlight: 10 })),
        key,
      ),
    ).toBe(home)
  })
})

describe('the split between releases', () => {
  it('is exact to one request a release over any whole number of blocks, fractions too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.nat(),
        fc.integer({ min: 1, max: 30 }),
        (share, seed, blocks) => {
          const weights = { stable: 100 - share / 100, candidate: share / 100 }
          const split = new ReleaseSplit(seededRng(seed))
          split.set(weights)
          const counts = tally(times(blocks * 100, () => split.pick() ?? ''))
          for (const [id, weight] of Object.entries(weights))
            expect(Math.abs((counts[id] ?? 0) - weight * blocks)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('does not fall into a rhythm that clients could share', () => {
    const split = new ReleaseSplit(seededRng(3))
    split.set({ stable: 50, candidate: 50 })
    // Of two kinds of request that alternate, each must see both releases.
    const even = times(1000, () => [split.pick(), split.pick()]).map(([first]) => first ?? '')
    expect(tally(even)['candidate']).toBeGreaterThan(420)
    expect(tally(even)['candidate']).toBeLessThan(580)
  })

  it('gives nothing to a release without a share, from the next request on', () => {
    const split = new ReleaseSplit(seededRng(3))
    split.set({ stable: 50, candidate: 50 })
    times(30, () => split.pick())
    split.set({ stable: 100, candidate: 0 })
    expect(tally(times(500, () => split.pick() ?? ''))).toEqual({ stable: 500 })
    split.set({})
    expect(split.pick()).toBe(undefined)
  })
})

describe('clients that stay with a release', () => {
  it('are taken over by a candidate that grows, and none goes back', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        fc.integer({ min: 1, max: 99 }),
        fc.integer({ min: 1, max: 99 }),
        (point, a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)]
          const at = (share: number) => releaseAt(point, { stable: 100 - share, candidate: share }, 'stable')
          if (at(low) === 'candidate') expect(at(high)).toBe('candidate')
        },
      ),
    )
  })

  it('get a point of the release that they got', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('stable', 'candidate'),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 99 }),
        (id, uniform, share) => {
          const weights = { stable: 100 - share, candidate: share }
          expect(releaseAt(pointIn(id, uniform, weights, 'stable'), weights, 'stable')).toBe(id)
        },
      ),
    )
  })
})

describe('the point that a cookie carries', () => {
  it.each([
    ['0.250000000', 0.25],
    ['0', 0],
    ['', null],
    [' ', null],
    ['1', null],
    ['-0', null],
    ['1e-9', null],
    ['0x0', null],
    ['0.5, 0.1', null],
    [`0.${'0'.repeat(1000)}`, null],
    [undefined, null],
  ])('of %j is %j', (text, point) => {
    expect(pointOf(text)).toBe(point)
  })
})
