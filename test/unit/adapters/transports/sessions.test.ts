import { describe, expect, it } from 'vitest'
import { seededRng } from '../../../../src/base/index.ts'
import { Sessions, type SessionStore } from '../../../../src/adapters/transports/index.ts'
import { VirtualClock } from '../../../support/clock.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

function setUp(store?: SessionStore, clock = new VirtualClock()) {
  return { clock, sessions: new Sessions({ clock, rng: seededRng(7), ...(store ? { store } : {}) }) }
}

function memory() {
  let kept: ReturnType<SessionStore['load']> = []
  return {
    load: () => kept,
    save: (sessions: typeof kept) => (kept = [...sessions]),
    get kept() {
      return kept
    },
  }
}

describe('sessions', () => {
  it('exchange a launch token once', () => {
    const { sessions } = setUp()
    const token = sessions.mintLaunchToken()
    expect(sessions.isPending(token)).toBe(true)
    const session = sessions.exchange(token)
    expect(session).not.toBeNull()
    expect(sessions.isOpen(session ?? '')).toBe(true)
    expect(sessions.isPending(token)).toBe(false)
    expect(sessions.exchange(token)).toBeNull()
  })

  it('take no launch token as a session, and no session as a launch token', () => {
    const { sessions } = setUp()
    const token = sessions.mintLaunchToken()
    expect(sessions.isOpen(token)).toBe(false)
    expect(sessions.exchange(sessions.open())).toBeNull()
  })

  it('refuse a launch token after its hour', async () => {
    const { sessions, clock } = setUp()
    const token = sessions.mintLaunchToken()
    await clock.advance(hourMs + 1)
    expect(sessions.exchange(token)).toBeNull()
  })

  it('hold at most 100 launch tokens, the newest', () => {
    const { sessions } = setUp()
    const [first, ...rest] = Array.from({ length: 101 }, () => sessions.mintLaunchToken())
    expect(sessions.isPending(first ?? '')).toBe(false)
    expect(rest.every((token) => sessions.isPending(token))).toBe(true)
  })

  it('stay open across a restart, and the store never sees a token', () => {
    const store = memory()
    const { sessions, clock } = setUp(store)
    const session = sessions.open()
    expect(JSON.stringify(store.kept)).not.toContain(session)
    const again = setUp(store, clock)
    expect(again.sessions.isOpen(session)).toBe(true)
    expect(again.sessions.isOpen(store.kept[0]?.hash ?? '')).toBe(false)
  })

  it('end 30 days after their last use, and not before', async () => {
    const store = memory()
    const { sessions, clock } = setUp(store)
    const used = sessions.open()
    const unused = sessions.open()
    for (let days = 0; days < 40; days += 10) {
      await clock.advance(10 * dayMs)
      expect(sessions.isOpen(used)).toBe(true)
    }
    expect(sessions.isOpen(unused)).toBe(false)
    expect(store.kept).toHaveLength(1)
  })

  it('hold at most 500, those that were used last', () => {
    const store = memory()
    const { sessions } = setUp(store)
    const [first, ...rest] = Array.from({ length: 501 }, () => sessions.open())
    expect(sessions.isOpen(first ?? '')).toBe(false)
    expect(rest.every((session) => sessions.isOpen(session))).toBe(true)
    expect(store.kept).toHaveLength(500)
  })
})
