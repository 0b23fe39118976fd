import {
  challengeSchema,
  pageProofText,
  serverProofText,
  sessionPaths,
  sessionProofText,
} from '../../contract/index.ts'

/**
 * Why a page has no proof: `ended` when the server no longer knows the session, `stranger` when what answers does not
 * prove that it knows it, `insecure` where a browser offers no cryptography.
 */
export type ProofFailure = 'ended' | 'unreachable' | 'refused' | 'stranger' | 'insecure'

export interface ProofRequest {
  /** The secret of the session. */
  session: string
  /** Name and port by which the page reaches the server. */
  host: string
  fetch: (path: string, init: RequestInit) => Promise<Response>
}

const answerWithinMs = 10_000

/**
 * A proof of the session that opens the server for half a minute. The server proves itself first, with an answer that only
 * who knows the session can give for a new nonce and this host: nobody who has its port while it is away gets a proof.
 */
export async function proveSession({
  session,
  host,
  fetch,
}: ProofRequest): Promise<{ proof: string } | { failure: ProofFailure }> {
  const keyBytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(session))
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', keyBytes, hmac, false, ['sign'])
  const sign = async (text: string) =>
    hexOf(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text)))
  const id = hexOf(await crypto.subtle.digest('SHA-256', keyBytes))
  const nonce = hexOf(crypto.getRandomValues(new Uint8Array(32)).buffer)
  let answer: unknown
  try {
    const response = await fetch(`${sessionPaths.challenge}?${new URLSearchParams({ id, host, nonce })}`, {
      cache: 'no-store',
      signal: AbortSignal.timeout(answerWithinMs),
    })
    if (response.status === 401) return { failure: 'ended' }
    if (!response.ok) return { failure: 'refused' }
    answer = await response.json()
  } catch {
    return { failure: 'unreachable' }
  }
  const { success, data } = challengeSchema.safeParse(answer)
  if (!success || data.proof !== (await sign(serverProofText({ host, nonce }, data.challenge))))
    return { failure: 'stranger' }
  const { challenge } = data
  return { proof: sessionProofText({ id, challenge, proof: await sign(pageProofText(challenge)) }) }
}

const hexOf = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
