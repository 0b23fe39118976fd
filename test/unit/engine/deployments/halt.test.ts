import { describe, expect, it } from 'vitest'
import { Halt } from '../../../../src/engine/deployments/steering/halt.ts'

describe('a permit', () => {
  it('takes every step while there is no emergency', async () => {
    const taken: number[] = []
    const isHeld = await new Halt().permit().through([() => taken.push(1), async () => taken.push(2)])
    expect({ taken, isHeld }).toEqual({ taken: [1, 2], isHeld: true })
  })

  it('takes no step after an emergency, in whichever step it came', async () => {
    for (const emergencyIn of [0, 1, 2]) {
      const halt = new Halt()
      const taken: number[] = []
      const steps = [0, 1, 2].map((step) => async () => {
        await Promise.resolve()
        taken.push(step)
        if (step === emergencyIn) halt.now()
      })
      expect(await halt.permit().through(steps)).toBe(false)
      expect(taken.at(-1)).toBe(emergencyIn)
    }
  })

  it('makes no call after an emergency, and lets one that is made end', async () => {
    const halt = new Halt()
    const before = halt.permit()
    const { promise, resolve } = Promise.withResolvers<string>()
    const underWay = before.call(() => promise)
    halt.now()
    resolve('moved')
    expect(await underWay).toBe('moved')
    expect(await before.call(async () => 'moved')).toBeNull()
    expect(await halt.permit().call(async () => 'moved')).toBe('moved')
  })
})
