import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { seededRng } from '../../../../src/base/index.ts'
import { Sessions, type SessionStore } from '../../../../src/adapters/transports/index.ts'
import { pageProofText, serverProofText, sessionProofText } from '../../../../src/contract/index.ts'
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
    expect(sessions.holderOf(session ?? '')).not.toBeNull()
    expect(sessions.isPending(token)).toBe(false)
    expect(sessions.exchange(token)).toBeNull()
  })

  it('take no launch token as a session, and no session as a launch token', () => {
    const { sessions } = setUp()
    const token = sessions.mintLaunchToken()
    expect(sessions.holderOf(token)).toBeNull()
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
    expect(again.sessions.holderOf(session)).not.toBeNull()
    expect(again.sessions.holderOf(store.kept[0]?.hash ?? '')).toBeNull()
  })

  it('end 30 days after their last use, and not before', async () => {
    const store = memory()
    const { sessions, clock } = setUp(store)
    const used = sessions.open()
    const unused = sessions.open()
    for (let days = 0; days < 40; days += 10) {
      await clock.advance(10 * dayMs)
      expect(sessions.holderOf(used)).not.toBeNull()
    }
    expect(sessions.holderOf(unused)).toBeNull()
    expect(store.kept).toHaveLength(1)
  })

  it('hold at most 500, those that were used last', () => {
    const store = memory()
    const { sessions } = setUp(store)
    const [first, ...rest] = Array.from({ length: 501 }, () => sessions.open())
    expect(sessions.holderOf(first ?? '')).toBeNull()
    expect(rest.every((session) => sessions.holderOf(session) !== null)).toBe(true)
    expect(store.kept).toHaveLength(500)
  })
})

describe('a proof of a session', () => {
  const host = '127.0.0.1:7780'
  const nonce = 'a'.repeat(64)
  const digest = (...parts: (string | Buffer)[]) => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest()
  }
  const hmac = (session: string, text: string) =>
    createHmac('sha256', digest(session)).update(text).digest('hex')
  const idOf = (session: string) => digest(digest(session)).toString('hex')
  const proofFor = (session: string, challenge: string) =>
    sessionProofText({ id: idOf(session), challenge, proof: hmac(session, pageProofText(challenge)) })
  const challengeOf = (sessions: Sessions, session: string) => {
    const challenge = sessions.challenge({ id: idOf(session), host, nonce })
    if (challenge === null) throw new Error('the session is not open')
    return challenge
  }

  it('opens what its secret opens, after the server proved that it knows the session', () => {
    const { sessions } = setUp()
    const session = sessions.open()
    const { challenge, proof } = challengeOf(sessions, session)
    expect(proof).toBe(hmac(session, serverProofText({ host, nonce }, challenge)))
    expect(sessions.holderOf(proofFor(session, challenge))).toBe(sessions.holderOf(session))
    expect(sessions.holderOf(session)).toBe(idOf(session))
  })

  it('opens nothing at a server that was started anew: whoever got it meanwhile has nothing', () => {
    const store = memory()
    const clock = new VirtualClock()
    const sessions = new Sessions({ clock, rng: seededRng(1), store })
    const session = sessions.open()
    const proof = proofFor(session, challengeOf(sessions, session).challenge)
    const again = new Sessions({ clock, rng: seededRng(2), store })
    expect(again.holderOf(proof)).toBeNull()
    expect(again.holderOf(proofFor(session, challengeOf(again, session).challenge))).toBe(idOf(session))
  })

  it('is good for half a minute', async () => {
    const { sessions, clock } = setUp()
    const session = sessions.open()
    const proof = proofFor(session, challengeOf(sessions, session).challenge)
    await clock.advance(29_999)
    expect(sessions.holderOf(proof)).not.toBeNull()
    await clock.advance(1)
    expect(sessions.holderOf(proof)).toBeNull()
  })

  it('is not to be made from a challenge that nobody gave, that of another session, or the proof of the server', () => {
    const { sessions, clock } = setUp()
    const [session, other] = [sessions.open(), sessions.open()]
    const { challenge, proof } = challengeOf(sessions, session)
    const later = (clock.nowMs() + 1e9).toString(36)
    for (const wrong of [`${later}-${'0'.repeat(64)}`, challenge.replace(/^[^-]*/, later), 'x', ''])
      expect(sessions.holderOf(proofFor(session, wrong))).toBeNull()
    expect(sessions.holderOf(proofFor(other, challenge))).toBeNull()
    expect(sessions.holderOf(sessionProofText({ id: idOf(session), challenge, proof }))).toBeNull()
  })

  it('is asked of no session that is not open', () => {
    const { sessions } = setUp()
    expect(sessions.challenge({ id: 'b'.repeat(64), host, nonce })).toBeNull()
  })
})
