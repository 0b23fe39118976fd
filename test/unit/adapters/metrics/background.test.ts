import { describe, expect, it } from 'vitest'
import { Background } from '../../../../src/adapters/metrics/background.ts'
import { SlotGroup, SeriesSlots } from '../../../../src/adapters/metrics/slots.ts'
import { VirtualClock } from '../../../support/clock.ts'

function setUp() {
  const clock = new VirtualClock()
  const slots = new SeriesSlots()
  const group = new SlotGroup(slots)
  const calls: PromiseWithResolvers<number>[] = []
  const background = new Background<number>({
    group,
    clock,
    cadenceMs: 10_000,
    gather: () => {
      calls.push(Promise.withResolvers())
      return calls.at(-1)!.promise
    },
    apply: (value) => {
      group.set(group.slot('processes.count'), value)
      group.rate(group.slot('system.forks'), value)
    },
  })
  const tick = async (afterMs: number) => {
    await clock.advance(afterMs)
    background.tick(clock.monotonicMs())
    return [...slots.copy()]
  }
  return { background, calls, tick }
}

describe('what is gathered in the background', () => {
  it('shows in the reading after it arrived, and changes nothing in between', async () => {
    const { calls, tick } = setUp()
    expect(await tick(0)).toEqual([])
    expect(await tick(1000)).toEqual([])
    calls[0]!.resolve(5)
    expect(await tick(1000)).toEqual([5, NaN])
    expect(calls.length).toBe(1)
  })

  it('is asked again at its cadence and has rates over the time between the answers', async () => {
    const { calls, tick } = setUp()
    await tick(0)
    calls[0]!.resolve(100)
    await tick(1000)
    await tick(9000)
    expect(calls.length).toBe(2)
    calls[1]!.resolve(150)
    // Both answers came at once: ten seconds lie between them, whenever they are shown.
    expect(await tick(1000)).toEqual([150, 5])
  })

  it('is never asked twice at a time, and is unknown when the answer stays out', async () => {
    const { calls, tick } = setUp()
    await tick(0)
    calls[0]!.resolve(7)
    expect(await tick(1000)).toEqual([7, NaN])
    await tick(9000)
    expect(await tick(14_000)).toEqual([7, NaN])
    expect(await tick(60_000)).toEqual([NaN, NaN])
    expect(calls.length).toBe(2)
    calls[1]!.resolve(8)
    expect(await tick(1000)).toEqual([8, NaN])
  })

  it('goes on after a failure', async () => {
    const { calls, tick } = setUp()
    await tick(0)
    calls[0]!.reject(new Error('gone'))
    await tick(1000)
    await tick(10_000)
    calls[1]!.resolve(3)
    expect(await tick(1000)).toEqual([3, NaN])
  })

  it('starts nothing once it is disposed', async () => {
    const { background, calls, tick } = setUp()
    await background[Symbol.asyncDispose]()
    await tick(20_000)
    expect(calls.length).toBe(0)
  })
})
