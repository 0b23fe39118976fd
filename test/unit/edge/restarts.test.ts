import { describe, expect, it } from 'vitest'
import { Restarts } from '../../../src/edge/supervisor/restarts.ts'

const restart = { atMs: 1, reason: 'over its memory limit' }

describe('the restarts of an instance', () => {
  it('count failures in a row until a process has proven itself', () => {
    const restarts = new Restarts()
    expect([false, false, true, false].map((isProven) => restarts.failed(isProven))).toEqual([1, 2, 1, 2])
  })

  it('go on counting in the replacement of one that was over its limit', () => {
    const earlier = new Restarts()
    earlier.overLimit(false)
    const next = new Restarts()
    next.follow(earlier, false, restart)
    expect(next).toMatchObject({ count: 1, last: restart })
    expect(next.overLimit(false)).toBe(2)
    next.endedOtherwise()
    expect(next.overLimit(false)).toBe(1)
  })

  it('begin anew in the replacement of one that was well', () => {
    const earlier = new Restarts()
    earlier.failed(false)
    const next = new Restarts()
    next.follow(earlier, false, restart)
    expect(next.failed(false)).toBe(1)
  })
})
