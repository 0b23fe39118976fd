import { describe, expect, it } from 'vitest'
import {
  liveProtocolVersion,
  type HostState,
  type LiveRecords,
  type Right,
  type ServerFrame,
} from '../../../../src/contract/index.ts'
import { LiveStore } from '../../../../src/engine/core/index.ts'
import { LivePublisher, SampleFeed } from '../../../../src/engine/live/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

function greeted(mayUse: (right: Right) => boolean = () => true) {
  const clock = new VirtualClock()
  const store = new LiveStore()
  const frames: ServerFrame[] = []
  const publisher = new LivePublisher({
    store,
    feed: new SampleFeed(),
    clock,
    epoch: 'e',
    version: '1',
    mayUse,
    // A page that keeps up.
    send: (frame) => {
      frames.push(frame)
      if ('seq' in frame) queueMicrotask(() => publisher.receive({ kind: 'ack', seq: frame.seq }))
    },
    drop: () => undefined,
  })
  publisher.receive({ kind: 'hello', protocol: liveProtocolVersion })
  const put = (score: number) => store.put('health', { score, severity: 'ok', reasons: [] })
  const scores = () =>
    frames.flatMap((frame) => (frame.kind === 'diff' ? [(frame.diff.put as LiveRecords).health.score] : []))
  /** What the page holds: the newest snapshot and all since. */
  const held = () => {
    const records: Record<string, unknown> = {}
    for (const frame of frames) {
      if (frame.kind === 'snapshot') for (const key of Object.keys(records)) delete records[key]
      if (frame.kind === 'snapshot') Object.assign(records, frame.records)
      if (frame.kind === 'diff') Object.assign(records, frame.diff.put)
      if (frame.kind === 'diff') for (const key of frame.diff.removed) delete records[key]
    }
    return records
  }
  const told = () => frames.filter(({ kind }) => kind !== 'heartbeat')
  return { clock, store, put, scores, held, told, publisher }
}

describe('what a page is told', () => {
  it('is a lone change at once', async () => {
    const { clock, put, scores } = greeted()
    await clock.advance(0)
    put(1)
    await clock.advance(0)
    expect(scores()).toEqual([1])
  })

  it('is at most one diff in 200 ms, the newest state, however often it changes', async () => {
    const { clock, put, scores } = greeted()
    for (let score = 0; score < 100; score++) {
      put(score)
      await clock.advance(10)
    }
    await clock.advance(200)
    expect(scores().length).toBeLessThanOrEqual(7)
    expect(scores().at(-1)).toBe(99)
  })

  it('is nothing more after it has left', async () => {
    const { clock, put, publisher } = greeted()
    put(1)
    await clock.advance(0)
    put(2)
    await clock.advance(0)
    publisher[Symbol.dispose]()
    expect(clock.timerCount).toBe(0)
  })

  const state = (score: number) => ({ score }) as unknown as HostState

  it('is nothing that it has no right to', async () => {
    const { clock, store, put, held, publisher } = greeted((right) => right !== 'config.read')
    const config = { file: '/etc/pilothouse.yaml', loadedAtMs: 0, problems: [] }
    put(1)
    store.put('config', config)
    await clock.advance(1000)
    publisher.receive({ kind: 'resync' })
    publisher.receive({ kind: 'subscribe', records: ['config', 'health'] })
    store.put('config', { ...config, loadedAtMs: 1 })
    await clock.advance(1000)
    expect(Object.keys(held())).toEqual(['health'])
  })

  it('is what it looks at, by record and by kind, and what it looks at next is there at once', async () => {
    const { clock, store, put, held, told, publisher } = greeted()
    publisher.receive({ kind: 'subscribe', records: ['health', 'hostState:a'] })
    await clock.advance(0)
    const before = told().length
    store.put('hostState:b', state(1))
    await clock.advance(500)
    expect(told().length).toBe(before)
    put(7)
    store.put('hostState:a', state(2))
    await clock.advance(500)
    expect(held()).toMatchObject({ health: { score: 7 }, 'hostState:a': { score: 2 } })
    expect(held()).not.toHaveProperty('hostState:b')
    publisher.receive({ kind: 'subscribe', records: ['health', 'hostState:*'] })
    await clock.advance(0)
    expect(held()).toHaveProperty('hostState:b', { score: 1 })
  })

  it('keeps what was on screen when it looks at less', async () => {
    const { clock, store, held, told, publisher } = greeted()
    store.put('hostState:a', state(1))
    await clock.advance(500)
    const before = told().length
    publisher.receive({ kind: 'subscribe', records: ['health'] })
    await clock.advance(500)
    expect(told().length).toBe(before)
    expect(held()).toHaveProperty('hostState:a', { score: 1 })
  })
})
