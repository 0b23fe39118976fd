import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterEvent,
  armedMs,
  holdMs,
  type Arming,
  type ArmingEvent,
} from '../../../../src/renderer/rollback/arming.ts'

/** Plays events, each with its time; how often the person's meaning was taken as certain. */
function confirmations(events: readonly [ArmingEvent, number][]): number {
  let state: Arming = { kind: 'idle' }
  let count = 0
  for (const [event, atMs] of events) {
    const after = afterEvent(state, event, atMs)
    state = after.state
    if (after.isConfirmed) count += 1
  }
  return count
}

describe('a button that must be meant', () => {
  it.each<[string, [ArmingEvent, number][], number]>([
    [
      'is confirmed by a pointer that holds for the whole time',
      [
        ['down', 0],
        ['tick', holdMs],
      ],
      1,
    ],
    [
      'is not confirmed by a click',
      [
        ['down', 0],
        ['up', 80],
      ],
      0,
    ],
    [
      'is not confirmed by two clicks',
      [
        ['down', 0],
        ['up', 80],
        ['down', 200],
        ['up', 280],
      ],
      0,
    ],
    [
      'is confirmed once, not again when the pointer goes up',
      [
        ['down', 0],
        ['tick', holdMs],
        ['up', holdMs + 300],
      ],
      1,
    ],
    ['is armed, not confirmed, by one key', [['press', 0]], 0],
    [
      'is confirmed by a second key in time',
      [
        ['press', 0],
        ['press', armedMs],
      ],
      1,
    ],
    [
      'takes a second key that comes too late for a first one',
      [
        ['press', 0],
        ['press', armedMs + 1],
      ],
      0,
    ],
    [
      'forgets being armed in time',
      [
        ['press', 0],
        ['tick', armedMs + 1],
        ['press', armedMs + 2],
      ],
      0,
    ],
    [
      'forgets all when the focus goes',
      [
        ['press', 0],
        ['cancel', 10],
        ['press', 20],
      ],
      0,
    ],
    [
      'does not add a key to a pointer',
      [
        ['down', 0],
        ['press', 10],
        ['up', 20],
      ],
      0,
    ],
  ])('%s', (_what, events, count) => {
    expect(confirmations(events)).toBe(count)
  })

  it('is never confirmed by one event alone, nor within less than it takes, whatever comes', () => {
    const events = fc.array(
      fc.tuple(
        fc.constantFrom<ArmingEvent[]>('down', 'up', 'tick', 'cancel'),
        fc.integer({ min: 0, max: 5 }),
      ),
    )
    fc.assert(
      fc.property(events, (list) => {
        let atMs = 0
        const played = list.map(([event, afterMs]): [ArmingEvent, number] => [event, (atMs += afterMs)])
        if (atMs < holdMs) expect(confirmations(played)).toBe(0)
      }),
    )
  })
})
