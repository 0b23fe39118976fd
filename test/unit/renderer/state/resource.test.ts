import { describe, expect, it, vi } from 'vitest'
import { Resource } from '../../../../src/renderer/state/resource.svelte.ts'

/** An engine whose answers come when the test says so, in any order. */
function slowEngine() {
  const open: { question: string; answer: (text: string) => void; fail: (error: Error) => void }[] = []
  const load = (question: string) =>
    new Promise<string>((answer, fail) => open.push({ question, answer, fail }))
  return { load, open, asked: () => open.map(({ question }) => question) }
}

/** Lets what was answered reach the resource. */
const settle = () => new Promise((done) => setImmediate(done))

describe('a question to the engine', () => {
  it('is answered by the newest answer, whatever the order in which they come', async () => {
    const { load, open } = slowEngine()
    const resource = new Resource(load)
    resource.start('r1')
    resource.start('r2')
    open[1]?.answer('about r2')
    await settle()
    open[0]?.answer('about r1')
    await settle()
    expect(resource).toMatchObject({ value: 'about r2', isOld: false, isBusy: false })
  })

  it('shows no answer to an earlier question while its own is awaited', async () => {
    const { load, open } = slowEngine()
    const resource = new Resource(load)
    resource.start('r1')
    open[0]?.answer('about r1')
    await settle()
    resource.start('r2')
    expect(resource.value).toBeUndefined()
    expect(resource.isBusy).toBe(true)
  })

  it('may keep the earlier answer, marked as old, until its own is there', async () => {
    const { load, open } = slowEngine()
    const resource = new Resource(load, { keepsOld: true })
    resource.start('by cpu')
    open[0]?.answer('cpu')
    await settle()
    resource.start('by memory')
    expect(resource).toMatchObject({ value: 'cpu', isOld: true })
    open[1]?.answer('memory')
    await settle()
    expect(resource).toMatchObject({ value: 'memory', isOld: false })
  })

  it('keeps the last answer as old when asking again fails, says why, and is current after a retry', async () => {
    const { load, open } = slowEngine()
    const resource = new Resource(load)
    resource.start('r1')
    open[0]?.answer('first')
    await settle()
    resource.start('r1')
    expect(resource).toMatchObject({ value: 'first', isOld: false, isBusy: true })
    open[1]?.fail(Object.assign(new Error('Too many'), { code: 'UNAVAILABLE' }))
    await settle()
    expect(resource).toMatchObject({ value: 'first', isOld: true, isBusy: false })
    expect(resource.failure).toMatchObject({ code: 'UNAVAILABLE', text: 'Too many' })
    resource.retry()
    open[2]?.answer('second')
    await settle()
    expect(resource).toMatchObject({ value: 'second', isOld: false, failure: undefined })
  })

  it('drops the failure of another question', async () => {
    const { load, open } = slowEngine()
    const resource = new Resource(load)
    resource.start('r1')
    open[0]?.fail(new Error('no'))
    await settle()
    resource.start('r2')
    expect(resource.failure).toBeUndefined()
  })

  it('says nothing more once nobody asks: neither answer nor failure arrives', async () => {
    const { load, open } = slowEngine()
    const resource = new Resource(load)
    const stop = resource.start('r1')
    stop()
    open[0]?.answer('late')
    await settle()
    expect(resource).toMatchObject({ value: undefined, isBusy: false })
    resource.retry()
    expect(open).toHaveLength(1)
  })

  it('is asked again after a reconnection, with the last answer in view', async () => {
    const { load, open, asked } = slowEngine()
    const resource = new Resource(load)
    const lost = resource.start('r1')
    open[0]?.answer('before')
    await settle()
    lost()
    resource.start('r1')
    expect(asked()).toEqual(['r1', 'r1'])
    expect(resource.value).toBe('before')
    open[1]?.answer('after')
    await settle()
    expect(resource.value).toBe('after')
  })

  it('is repeated after each answer, never twice at once, until it is stopped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { load, open } = slowEngine()
      const resource = new Resource(load)
      const stop = resource.start('r1', 1000)
      await vi.advanceTimersByTimeAsync(5000)
      resource.retry()
      expect(open).toHaveLength(1)
      open[0]?.answer('first')
      await settle()
      await vi.advanceTimersByTimeAsync(1000)
      expect(open).toHaveLength(2)
      open[1]?.fail(new Error('no'))
      await settle()
      await vi.advanceTimersByTimeAsync(1000)
      expect(open).toHaveLength(3)
      stop()
      open[2]?.answer('late')
      await settle()
      await vi.advanceTimersByTimeAsync(5000)
      expect(open).toHaveLength(3)
      expect(resource.value).toBe('first')
    } finally {
      vi.useRealTimers()
    }
  })
})
