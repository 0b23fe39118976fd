import { describe, expect, it } from 'vitest'
import { SerialQueue } from '../../../src/base/index.ts'

describe('a serial queue', () => {
  it('starts work when all work added before has ended, failed work too', async () => {
    const queue = new SerialQueue()
    const order: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = queue.run(async () => {
      order.push('first begins')
      await gate.promise
      order.push('first fails')
      throw new Error('no')
    })
    const second = queue.run(() => {
      order.push('second')
      return 2
    })
    await Promise.resolve()
    expect(order).toEqual(['first begins'])
    gate.resolve()
    await expect(first).rejects.toThrow('no')
    expect(await second).toBe(2)
    expect(order).toEqual(['first begins', 'first fails', 'second'])
  })

  it('is idle when all work added so far has ended', async () => {
    const queue = new SerialQueue()
    let isDone = false
    void queue.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      isDone = true
    })
    await queue.idle()
    expect(isDone).toBe(true)
  })
})
