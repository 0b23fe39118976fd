import { launchTokenIn, sessionGrantSchema, sessionPaths } from '../../contract/index.ts'
import { proveSession, type ProofFailure } from './session-proof.ts'

/** What a session needs of a browser window. */
export type SessionWindow = Pick<
  Window,
  'location' | 'history' | 'sessionStorage' | 'fetch' | 'isSecureContext'
>

export type SignInResult = 'signed in' | 'refused' | 'unreachable' | 'insecure'
export type { ProofFailure }

/** Elsewhere a browser gives a page no cryptography, and anyone on the line could read along. */
export const insecureText = 'Pilothouse pages open only over HTTPS, or at 127.0.0.1 or localhost'

const storageKey = 'pilothouse.session'

/**
 * The session of this page with its server. It is held by this tab alone: its storage belongs to one address with its
 * port, survives a reload, and is sent to nobody.
 */
export class BrowserSession {
  readonly #window: SessionWindow
  #token = $state<string | null>(null)
  #isStarting = $state(true)

  constructor(window: SessionWindow) {
    this.#window = window
  }

  get token(): string | null {
    return this.#token
  }
  /** A person has to sign in. */
  get isSignedOut(): boolean {
    return this.#token === null && !this.#isStarting
  }

  /** Exchanges the launch token in the address, else takes up the session of this tab. The address loses its token. */
  async start(): Promise<void> {
    const { location, history } = this.#window
    const launchToken = launchTokenIn(location.hash)
    this.#token = this.#stored()
    if (launchToken !== null) {
      history.replaceState(history.state, '', location.pathname + location.search)
      // A server that does not answer leaves the session of this tab; a launch token that was used does, too.
      await this.signIn(launchToken)
    }
    this.#isStarting = false
  }

  /** With a launch token or the access token of the server. */
  async signIn(token: string): Promise<SignInResult> {
    if (!this.#window.isSecureContext) return 'insecure'
    try {
      const response = await this.#window.fetch(sessionPaths.session, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      })
      if (response.status === 401 || response.status === 400) return 'refused'
      if (!response.ok) return 'unreachable'
      this.#keep(sessionGrantSchema.parse(await response.json()).session)
      return 'signed in'
    } catch {
      return 'unreachable'
    }
  }

  /** What opens a connection to the server, once it has proved itself; a session that it no longer knows is given up. */
  async prove(): Promise<{ proof: string } | { failure: ProofFailure }> {
    const session = this.#token
    if (session === null) return { failure: 'ended' }
    if (!this.#window.isSecureContext) return { failure: 'insecure' }
    const { host } = this.#window.location
    const proven = await proveSession({ session, host, fetch: (url, init) => this.#window.fetch(url, init) })
    if ('failure' in proven && proven.failure === 'ended' && this.#token === session) this.#keep(null)
    return proven
  }

  #keep(token: string | null): void {
    this.#token = token
    try {
      if (token === null) this.#window.sessionStorage.removeItem(storageKey)
      else this.#window.sessionStorage.setItem(storageKey, token)
    } catch {
      // A browser that stores nothing: the session ends with this page.
    }
  }

  #stored(): string | null {
    try {
      return this.#window.sessionStorage.getItem(storageKey)
    } catch {
      return null
    }
  }
}
