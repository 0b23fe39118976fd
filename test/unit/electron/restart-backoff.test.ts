import { describe, expect, it } from 'vitest'
import { failuresInARow, restartDelayMs } from '../../../electron/restart-backoff.ts'

describe('restarting the engine', () => {
  it('waits a quarter of a second first, then twice as long each time, and half a minute at most', () => {
    expect([1, 2, 3, 4, 7, 8, 50, 2000].map(restartDelayMs)).toEqual([
      250, 500, 1000, 2000, 16_000, 30_000, 30_000, 30_000,
    ])
  })

  it('counts deaths in a row, and begins anew after an engine that lived a minute', () => {
    expect(failuresInARow(0, 100)).toBe(1)
    expect(failuresInARow(3, 59_999)).toBe(4)
    expect(failuresInARow(3, 60_000)).toBe(1)
  })
})
