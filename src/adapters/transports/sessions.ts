import { createHash } from 'node:crypto'
import type { Clock, Rng } from '../../base/index.ts'

/** A session as it is kept: whoever reads the file cannot use it. */
export interface StoredSession {
  /** SHA-256 of its token, hexadecimal. */
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

/**
 * Who may open a page, and which pages are open. A launch token is exchanged once for a session; only hashes of either
 * are held, and their lookup by hash tells nothing about a token by its timing.
 */
export class Sessions {
  readonly #options: SessionsOptions
  /** By hash, the time at which it expires; oldest first. */
  readonly #launchTokens = new Map<string, number>()
  readonly #sessions: Map<string, number>

  constructor(options: SessionsOptions) {
    this.#options = options
    const nowMs = options.clock.nowMs()
    this.#sessions = new Map(
      (options.store?.load() ?? [])
        .filter(({ expiresAtMs }) => expiresAtMs > nowMs && expiresAtMs <= nowMs + sessionLivesMs)
        .map(({ hash, expiresAtMs }) => [hash, expiresAtMs]),
    )
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

  /** Whether `session` is open; its use keeps it so. */
  isOpen(session: string): boolean {
    const hash = hashOf(session)
    const expiresAtMs = this.#sessions.get(hash)
    if (expiresAtMs === undefined || !this.#isValid(expiresAtMs)) return false
    const isDue = expiresAtMs - this.#options.clock.nowMs() < sessionLivesMs - renewedEveryMs
    if (isDue) this.#renew(hash)
    return true
  }

  #isValid(expiresAtMs: number | undefined): boolean {
    return expiresAtMs !== undefined && expiresAtMs > this.#options.clock.nowMs()
  }

  #renew(hash: string): void {
    // Last in the order of insertion: the ones that were not used for longest go first.
    this.#sessions.delete(hash)
    this.#sessions.set(hash, this.#options.clock.nowMs() + sessionLivesMs)
    for (const [each, expiresAtMs] of this.#sessions)
      if (!this.#isValid(expiresAtMs)) this.#sessions.delete(each)
    dropOldest(this.#sessions, mostSessions)
    const kept = [...this.#sessions].map(([each, expiresAtMs]) => ({ hash: each, expiresAtMs }))
    this.#options.store?.save(kept)
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex')

function dropOldest(held: Map<string, number>, most: number): void {
  for (const hash of held.keys()) {
    if (held.size <= most) return
    held.delete(hash)
  }
}
