import * as z from 'zod'

/** Where a page gets its session, and the command line a launch token; beside the table of procedures. */
export const sessionPaths = {
  session: '/session',
  launch: '/session/launch',
  launchState: '/session/launch/state',
} as const

/**
 * Body of `POST /session`: a launch token, which is used up, or the access token of the API. Of `POST
 * /session/launch/state`: a launch token.
 */
export const signInSchema = z.object({ token: z.string().min(1).max(1000) })

/** Answer of `POST /session`: what the page sends from now on. */
export const sessionGrantSchema = z.object({ session: z.string().min(1) })

/** Answer of `POST /session/launch`: a token that opens one page, once. */
export const launchGrantSchema = z.object({ token: z.string().min(1) })

/** Answer of `POST /session/launch/state`. */
export const launchStateSchema = z.object({ isPending: z.boolean() })

/** Name of the launch token in the fragment of an address: browsers send a fragment to nobody. */
const launchName = 'launch'

/** The address that opens one page at `origin`, once. */
export const launchUrl = (origin: string, token: string): string =>
  `${origin}/#${launchName}=${encodeURIComponent(token)}`

/** The launch token in a fragment (with or without `#`), or null. */
export const launchTokenIn = (fragment: string): string | null =>
  new URLSearchParams(fragment.replace(/^#/, '')).get(launchName)

/** The WebSocket subprotocol that both sides speak. */
export const socketProtocol = 'pilothouse'

const sessionPrefix = `${socketProtocol}.session.`

/** A browser cannot set headers on a WebSocket; its subprotocols carry the session instead. */
export const socketProtocols = (session: string): string[] => [socketProtocol, `${sessionPrefix}${session}`]

/** The session that a `Sec-WebSocket-Protocol` header offers; undefined when there is none. */
export const sessionIn = (protocols: string | undefined): string | undefined =>
  protocols
    ?.split(',')
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith(sessionPrefix))
    ?.slice(sessionPrefix.length)
