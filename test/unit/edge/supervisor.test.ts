import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayEject, PassiveHealth } from '../../../src/edge/supervisor/ejection.ts'

describe('passive ejection', () => {
  it('asks for five failures in a row', () => {
    const health = new PassiveHealth()
    const seen = [true, true, true, true, false, true, true, true, true, true].map((one) =>
      health.record(one),
    )
    expect(seen.filter(Boolean)).toHaveLength(1)
    expect(seen.at(-1)).toBe(true)
  })

  it('lasts longer each time, five minutes at most', () => {
    const health = new PassiveHealth()
    const lengths = Array.from({ length: 12 }, () => health.eject())
    expect(lengths.slice(0, 3)).toEqual([30_000, 60_000, 90_000])
    expect(lengths.at(-1)).toBe(300_000)
  })

  it('never takes the last instance, nor more than a tenth but one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (count) => {
        let ejected = 0
        while (mayEject(count, ejected, count - ejected)) ejected += 1
        expect(ejected).toBeLessThan(count)
        expect(ejected).toBeLessThanOrEqual(Math.max(1, count / 10))
      }),
    )
  })

  it('lowers the weight with failures and gives it back slowly', () => {
    const health = new PassiveHealth()
    health.record(true)
    expect(health.weight).toBe(0.5)
    for (let i = 0; i < 4; i++) health.record(false)
    expect(health.weight).toBe(1)
    health.record(true)
    for (let i = 0; i < 4; i++) health.recover()
    expect(health.weight).toBe(1)
  })
})
