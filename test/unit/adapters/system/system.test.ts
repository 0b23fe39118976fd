import { describe, expect, it } from 'vitest'
import { systemClock, systemRng } from '../../../../src/adapters/system/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

describe('systemClock', () => {
  it('fires once after a delay, and never when disposed first', async () => {
    const clock = systemClock()
    const fired: string[] = []
    clock.after(1, () => fired.push('disposed'))[Symbol.dispose]()
    await new Promise<void>((resolve) => {
      clock.after(5, () => {
        fired.push('kept')
        resolve()
      })
    })
    expect(fired).toEqual(['kept'])
  })

  it('stays on the grid of the first call, one call a point, and stops when disposed', async () => {
    const clock = systemClock()
    const startedAt = clock.monotonicMs()
    const points: number[] = []
    await new Promise<void>((resolve) => {
      const timer = clock.every(20, () => {
        points.push(Math.round((clock.monotonicMs() - startedAt) / 20))
        if (points.length === 5) {
          timer[Symbol.dispose]()
          resolve()
        }
      })
    })
    expect(new Set(points).size).toBe(5)
    expect(points).toEqual(points.toSorted((a, b) => a - b))
  })
})

describe('systemRng', () => {
  it('gives numbers in [0, 1) and hexadecimal of the asked length, never the same twice', () => {
    const rng = systemRng()
    const numbers = Array.from({ length: 1000 }, () => rng.next())
    expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true)
    expect(new Set(numbers).size).toBe(1000)
    expect(rng.hex(32)).toMatch(/^[0-9a-f]{64}$/)
    expect(rng.hex(16)).not.toBe(rng.hex(16))
  })
})

describe('VirtualClock', () => {
  it('runs timers in the order of their time, each at its own time, and keeps periods', async () => {
    const clock = new VirtualClock(0)
    const seen: string[] = []
    clock.after(30, () => seen.push(`once at ${clock.nowMs()}`))
    const ticking = clock.every(20, () => seen.push(`tick at ${clock.nowMs()}`))
    await clock.advance(50)
    ticking[Symbol.dispose]()
    await clock.advance(100)
    expect(seen).toEqual(['tick at 20', 'once at 30', 'tick at 40'])
    expect(clock.timerCount).toBe(0)
  })

  it('moves wall time alone when it jumps', () => {
    const clock = new VirtualClock(1000)
    clock.jumpWall(-500)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([500, 0])
  })
})
