import { describe, expect, it } from 'vitest'
import { liveProtocolVersion, type LiveRecords, type ServerFrame } from '../../../../src/contract/index.ts'
import { LiveStore } from '../../../../src/engine/core/index.ts'
import { LivePublisher, SampleFeed } from '../../../../src/engine/live/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

function greeted() {
  const clock = new VirtualClock()
  const store = new LiveStore()
  const frames: ServerFrame[] = []
  const publisher = new LivePublisher({
    store,
    feed: new SampleFeed(),
    clock,
    epoch: 'e',
    version: '1',
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
  return { clock, put, scores, publisher }
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
})
