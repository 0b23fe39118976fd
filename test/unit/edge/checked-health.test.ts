import { describe, expect, it } from 'vitest'
import { CheckedHealth } from '../../../src/edge/supervisor/checked-health.ts'

const rule = { rise: 2, fall: 3, restartAfterMs: 10_000 }

describe('the health of a process', () => {
  it('rises after as many good checks in a row as the rule says', () => {
    const health = new CheckedHealth(0, false)
    expect(health.take(null, rule, 1)).toBeNull()
    expect(health.take('answered 503', rule, 2)).toBe('reason')
    expect(health.take(null, rule, 3)).toBeNull()
    expect(health.take(null, rule, 4)).toBe('rose')
    expect(health).toMatchObject({ state: 'healthy', reason: '' })
  })

  it('falls after as many bad ones, and says why only then', () => {
    const health = new CheckedHealth(0, true)
    expect(health.take('late', rule, 1)).toBeNull()
    expect(health.take('late', rule, 2)).toBeNull()
    expect(health.reason).toBe('')
    expect(health.take('late', rule, 3)).toBe('fell')
    expect(health.take('late', rule, 4)).toBeNull()
    expect(health.take('answered 500', rule, 5)).toBe('reason')
    expect(health).toMatchObject({ state: 'unhealthy', reason: 'answered 500' })
  })

  it('never falls while it starts, and is hung after five times the configured time then', () => {
    const health = new CheckedHealth(0, false)
    for (let atMs = 1; atMs < 10; atMs++) health.take('refused', rule, atMs)
    expect(health.state).toBe('starting')
    expect([49_999, 50_000].map((nowMs) => health.isHungAt(nowMs, rule))).toEqual([false, true])
  })

  it('is hung when it was not well for the configured time, and never while it is healthy', () => {
    const health = new CheckedHealth(0, true)
    expect(health.isHungAt(1e9, rule)).toBe(false)
    for (const atMs of [1, 2, 3]) health.take('late', rule, atMs)
    expect([9999, 10_000].map((nowMs) => health.isHungAt(nowMs, rule))).toEqual([false, true])
  })

  it('is proven by checks over half a minute, not by the time since', () => {
    const health = new CheckedHealth(0, true)
    health.take(null, rule, 30_000)
    expect(health.isProven).toBe(false)
    health.take(null, rule, 30_001)
    expect(health.isProven).toBe(true)
  })
})
