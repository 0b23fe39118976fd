import { describe, expect, it } from 'vitest'
import { failuresInARow } from '../../../electron/restart-backoff.ts'

describe('restarting the engine', () => {
  it('counts deaths in a row, and begins anew after an engine that lived a minute', () => {
    expect(failuresInARow(0, 100)).toBe(1)
    expect(failuresInARow(3, 59_999)).toBe(4)
    expect(failuresInARow(3, 60_000)).toBe(1)
  })
})
