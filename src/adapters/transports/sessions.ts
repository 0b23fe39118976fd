import { createHash, createHmac } from 'node:crypto'
import type { Clock, Rng } from '../../base/index.ts'
import {
  pageProofText,
  serverProofText,
  sessionProofIn,
  type Challenge,
  type ChallengeQuery,
} from '../../contract/index.ts'
import { sameText } from './http-access.ts'

/** A session as it is kept. */
export interface StoredSession {
  /** SHA-256 of its secret, hexadecimal: the key with which both sides prove that they know it. */
  hash: string
  expiresAtMs: number
}

/** Keeps sessions across restarts. Neither way throws: a session that cannot be kept still holds until the end. */
export interface SessionStore {
  load(): StoredSession[]
  save(sessions: readonly StoredSession[]): void
}

export interface SessionsOptions {
  clock: Clock
  /** Unpredictable in production. */
  rng: Rng
  /** Without one, sessions end with this process. */
  store?: SessionStore
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** Long enough to read an address in a terminal, short enough to be worthless in an old log. */
const launchTokenLivesMs = 60 * minuteMs
/** Since the session was last used. */
const sessionLivesMs = 30 * dayMs
/** A session in use is written anew at most this often. */
const renewedEveryMs = dayMs
const mostLaunchTokens = 100
const mostSessions = 500
const tokenBytes = 32
/** Long enough for a page on a slow line to answer. */
const challengeLivesMs = 30_000

/**
 * Who may open a page, and which pages are open. A launch token is exchanged once for a session. Lookups by hash tell
 * nothing about a token by their timing. The page proves its session to the server and the server to the page; a proof is
 * good for a challenge of this process alone, so one that was given to somebody else opens nothing.
 */
export class Sessions {
  readonly #options: SessionsOptions
  /** By hash, the time at which it expires; oldest first. */
  readonly #launchTokens = new Map<string, number>()
  /** By id; oldest first. */
  readonly #sessions: Map<string, StoredSession>
  /** Marks the challenges of this process. */
  readonly #challengeKey: string

  constructor(options: SessionsOptions) {
    this.#options = options
    const nowMs = options.clock.nowMs()
    this.#sessions = new Map(
      (options.store?.load() ?? [])
        .filter(({ expiresAtMs }) => expiresAtMs > nowMs && expiresAtMs <= nowMs + sessionLivesMs)
        .map((stored) => [idOf(stored.hash), stored]),
    )
    this.#challengeKey = options.rng.hex(tokenBytes)
  }

  /** A new token that opens one page, once, within the hour. */
  mintLaunchToken(): string {
    const token = this.#options.rng.hex(tokenBytes)
    this.#launchTokens.set(hashOf(token), this.#options.clock.nowMs() + launchTokenLivesMs)
    dropOldest(this.#launchTokens, mostLaunchTokens)
    return token
  }

  /** Whether the launch token still waits for its page. */
  isPending(launchToken: string): boolean {
    return this.#isValid(this.#launchTokens.get(hashOf(launchToken)))
  }

  /** The session for a launch token, which is used up; null when it is unknown, used or expired. */
  exchange(launchToken: string): string | null {
    const isPending = this.isPending(launchToken)
    this.#launchTokens.delete(hashOf(launchToken))
    return isPending ? this.open() : null
  }

  /** A new session. */
  open(): string {
    const session = this.#options.rng.hex(tokenBytes)
    this.#renew(hashOf(session))
    return session
  }

  /** Whether an open session has this id, which proves nothing. */
  knows(id: string): boolean {
    return this.#isValid(this.#sessions.get(id)?.expiresAtMs)
  }

  /** The server's proof that it knows the session, and what the page is to sign; null when it is not open. */
  challenge(query: ChallengeQuery): Challenge | null {
    const session = this.#sessions.get(query.id)
    if (!session || !this.#isValid(session.expiresAtMs)) return null
    const challenge = this.#challengeUntil(query.id, this.#options.clock.nowMs() + challengeLivesMs)
    return { challenge, proof: signed(serverProofText(query, challenge), session.hash) }
  }

  /** The id of the open session that `offered` is the secret of, or proves; null when there is none. Its use keeps it open. */
  holderOf(offered: string): string | null {
    const proof = sessionProofIn(offered)
    const id = proof?.id ?? idOf(hashOf(offered))
    const session = this.#sessions.get(id)
    if (!session || !this.#isValid(session.expiresAtMs)) return null
    if (proof) {
      const { challenge } = proof
      const expiresAtMs = Number.parseInt(challenge.split('-', 1)[0] ?? '', 36)
      if (!this.#isValid(expiresAtMs)) return null
      if (!sameText(challenge, this.#challengeUntil(id, expiresAtMs))) return null
      if (!sameText(proof.proof, signed(pageProofText(challenge), session.hash))) return null
    }
    const isDue = session.expiresAtMs - this.#options.clock.nowMs() < sessionLivesMs - renewedEveryMs
    if (isDue) this.#renew(session.hash)
    return id
  }

  /** Made anew to be checked: to hold them would let whoever asks for many push others out. */
  #challengeUntil(id: string, expiresAtMs: number): string {
    return `${expiresAtMs.toString(36)}-${signed(`${id} ${expiresAtMs}`, this.#challengeKey)}`
  }

  #isValid(expiresAtMs: number | undefined): boolean {
    return expiresAtMs !== undefined && expiresAtMs > this.#options.clock.nowMs()
  }

  #renew(hash: string): void {
    // Last in the order of insertion: the ones that were not used for longest go first.
    this.#sessions.delete(idOf(hash))
    this.#sessions.set(idOf(hash), { hash, expiresAtMs: this.#options.clock.nowMs() + sessionLivesMs })
    for (const [id, { expiresAtMs }] of this.#sessions)
      if (!this.#isValid(expiresAtMs)) this.#sessions.delete(id)
    dropOldest(this.#sessions, mostSessions)
    this.#options.store?.save([...this.#sessions.values()])
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex')

/** What names a session in public: it tells nothing about the key. */
const idOf = (hash: string): string => createHash('sha256').update(Buffer.from(hash, 'hex')).digest('hex')

const signed = (text: string, keyHex: string): string =>
  createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text, 'utf8').digest('hex')

function dropOldest(held: Map<string, unknown>, most: number): void {
  for (const hash of held.keys()) {
    if (held.size <= most) return
    held.delete(hash)
  }
}
