import { beforeEach, describe, expect, it } from 'vitest'
import { ok, seededRng, silentLog } from '../../../../src/base/index.ts'
import type { Host, HostState, LimitState, Notice } from '../../../../src/contract/index.ts'
import { LiveStore } from '../../../../src/engine/core/index.ts'
import { NoticeBoard, type Journal } from '../../../../src/engine/journal/index.ts'
import { changesOf } from '../../../../src/engine/telemetry/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

const host = { id: 'local', name: 'vm' } as Host
const cpu = {
  kind: 'cpu',
  subject: '',
  unit: 'ratio',
  severity: 'critical',
  warning: 0.8,
  critical: 0.9,
} as unknown as LimitState
const state = (...limits: LimitState[]) =>
  ({ quality: { freshness: 'fresh' }, limits, forecasts: [] }) as unknown as HostState

let clock: VirtualClock
let live: LiveStore
let kept: Map<string, Notice>
let board: NoticeBoard

beforeEach(() => {
  clock = new VirtualClock()
  live = new LiveStore()
  kept = new Map()
  const keep = (notice: Notice) => {
    kept.set(notice.id, notice)
    return Promise.resolve(ok(undefined))
  }
  const journal = { append: keep, replace: keep } as unknown as Journal
  board = new NoticeBoard({ journal, live, clock, rng: seededRng(1), log: silentLog })
})

const pass = () => changesOf(host, state(), state(cpu)).forEach((change) => board.post(change))
const leave = () => changesOf(host, state(cpu), state()).forEach((change) => board.post(change))
const texts = () => (live.get('notices') ?? []).map(({ text }) => text.replaceAll(' ', ' '))

describe('what happens to the same thing again and again', () => {
  it('is one row with a count, on screen and in the journal', async () => {
    for (let round = 0; round < 6; round++) {
      pass()
      await clock.advance(50_000)
      leave()
      await clock.advance(50_000)
    }
    expect(texts()).toEqual(['vm: CPU use above 90%, 6 times in 10 min; below 80% again'])
    expect([...kept.values()]).toEqual(live.get('notices'))
    expect(live.get('notices')?.[0]?.severity).toBe('ok')
    pass()
    expect(texts()).toEqual(['vm: CPU use above 90%, 7 times in 10 min'])
    expect(live.get('notices')?.[0]?.severity).toBe('critical')
  })

  it('keeps what began in the row that says it is over', async () => {
    pass()
    await clock.advance(30_000)
    leave()
    expect(texts()).toEqual(['vm: CPU use above 90%; below 80% again'])
  })

  it('does not count a limit that is made worse as another time', () => {
    const warning = { ...cpu, severity: 'warning' } as LimitState
    changesOf(host, state(), state(warning)).forEach((change) => board.post(change))
    changesOf(host, state(warning), state(cpu)).forEach((change) => board.post(change))
    expect(texts()).toEqual(['vm: CPU use above 90%'])
  })

  it('is a new row after 10 quiet minutes', async () => {
    pass()
    leave()
    await clock.advance(600_001)
    pass()
    expect(texts()).toEqual(['vm: CPU use above 90%', 'vm: CPU use above 90%; below 80% again'])
    expect(kept.size).toBe(2)
  })

  it('leaves rows of other things alone', () => {
    pass()
    board.post({ severity: 'info', text: 'shop: deployment of r2 started', link: '/deployments/d1' })
    board.post({ severity: 'warning', text: 'The edge cannot write', link: '/services' })
    board.post({ severity: 'warning', text: 'The edge cannot write', link: '/services' })
    expect(texts()).toEqual([
      'The edge cannot write, 2 times in 1 min',
      'shop: deployment of r2 started',
      'vm: CPU use above 90%',
    ])
  })

  it('is remembered within bounds, however many things there are', () => {
    for (let i = 0; i < 2000; i++) board.post({ severity: 'info', text: `notice ${i}`, link: '' })
    board.post({ severity: 'info', text: 'notice 0', link: '' })
    board.post({ severity: 'info', text: 'notice 1999', link: '' })
    expect(texts().slice(0, 2)).toEqual(['notice 1999, 2 times in 1 min', 'notice 0'])
    expect(texts()).toHaveLength(100)
  })
})
