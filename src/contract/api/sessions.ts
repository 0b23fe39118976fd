import * as z from 'zod'

/** Where a page gets its session, and the command line a launch token; beside the table of procedures. */
export const sessionPaths = {
  session: '/session',
  challenge: '/session/challenge',
  launch: '/session/launch',
  launchState: '/session/launch/state',
} as const

/**
 * Body of `POST /session`: a launch token, which is used up, or the access token of the API. Of `POST
 * /session/launch/state`: a launch token.
 */
export const signInSchema = z.object({ token: z.string().min(1).max(1000) })

/**
 * Answer of `POST /session`: the secret of the page. It never sends it again: both sides prove that they know it, so that
 * whoever has the server's port while the server is away learns nothing that opens the server later.
 */
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

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/)

/** Query of `GET /session/challenge`. */
export const challengeQuerySchema = z.object({
  /** SHA-256 of the key of the session, which is the SHA-256 of its secret; hexadecimal. */
  id: digestSchema,
  /** By which name and port the page reaches the server: only a server of this name answers. */
  host: z.string().min(1).max(300),
  /** Random, so that the answer cannot have been prepared. */
  nonce: digestSchema,
})
export type ChallengeQuery = z.infer<typeof challengeQuerySchema>

/** Answer of `GET /session/challenge`. */
export const challengeSchema = z.object({
  /** To be answered within half a minute, to the same server process. */
  challenge: z.string().regex(/^[0-9a-z-]{1,200}$/),
  /** HMAC-SHA-256 of `serverProofText` with the key of the session, hexadecimal. */
  proof: digestSchema,
})
export type Challenge = z.infer<typeof challengeSchema>

/** What the server signs, to prove to the page that it knows the session. */
export const serverProofText = ({ host, nonce }: Omit<ChallengeQuery, 'id'>, challenge: string): string =>
  ['pilothouse server', host, nonce, challenge].join('\n')

/** What the page signs, to prove the same to the server. */
export const pageProofText = (challenge: string): string => ['pilothouse page', challenge].join('\n')

/** A page's proof, as it is sent in place of a token. */
export interface SessionProof {
  id: string
  challenge: string
  /** HMAC-SHA-256 of `pageProofText` with the key of the session, hexadecimal. */
  proof: string
}

export const sessionProofText = ({ id, challenge, proof }: SessionProof): string =>
  `${id}.${challenge}.${proof}`

/** Null when the text is none. */
export function sessionProofIn(text: string): SessionProof | null {
  const [, id, challenge, proof] = /^([0-9a-f]{64})\.([0-9a-z-]{1,200})\.([0-9a-f]{64})$/.exec(text) ?? []
  return id && challenge && proof ? { id, challenge, proof } : null
}

/** The WebSocket subprotocol that both sides speak. */
export const socketProtocol = 'pilothouse'

const sessionPrefix = `${socketProtocol}.session.`

/** A browser cannot set headers on a WebSocket; its subprotocols carry the proof of the session instead. */
export const socketProtocols = (proof: string): string[] => [socketProtocol, `${sessionPrefix}${proof}`]

/** The proof of a session that a `Sec-WebSocket-Protocol` header offers; undefined when there is none. */
export const proofIn = (protocols: string | undefined): string | undefined =>
  protocols
    ?.split(',')
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith(sessionPrefix))
    ?.slice(sessionPrefix.length)
