import { describe, expect, it } from 'vitest'
import { consecutiveFailures } from '../../../electron/restart-backoff.ts'

describe('restarting the engine', () => {
  it('counts deaths in a row, and begins anew after an engine that lived a minute', () => {
    expect(consecutiveFailures(0, 100)).toBe(1)
    expect(consecutiveFailures(3, 59_999)).toBe(4)
    expect(consecutiveFailures(3, 60_000)).toBe(1)
  })
})
