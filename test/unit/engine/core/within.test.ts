import { describe, expect, it } from 'vitest'
import { ok, type Result } from '../../../../src/base/index.ts'
import { within } from '../../../../src/engine/core/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

describe('a call that may take only so long', () => {
  it('gives the answer that comes in time, and leaves no timer', async () => {
    const clock = new VirtualClock()
    expect(await within(clock, 1000, 'the router', async () => ok(7))).toEqual({ ok: true, value: 7 })
    expect(clock.timerCount).toBe(0)
  })

  it('gives TIMEOUT when the time is over, whatever comes later', async () => {
    const clock = new VirtualClock()
    let answer: Result<number> | undefined
    void within<number>(clock, 1000, 'the router', () => new Promise(() => undefined)).then(
      (given) => (answer = given),
    )
    await clock.advance(999)
    expect(answer).toBeUndefined()
    await clock.advance(1)
    expect(answer).toMatchObject({
      ok: false,
      error: { code: 'TIMEOUT', message: 'the router did not answer within 1 s' },
    })
  })

  it('turns what an adapter throws into INTERNAL', async () => {
    const broken = () => {
      throw new Error('no such field')
    }
    expect(await within(new VirtualClock(), 1000, 'the router', broken)).toMatchObject({
      ok: false,
      error: { code: 'INTERNAL', message: 'the router failed: no such field' },
    })
  })
})
