import { createHash, timingSafeEqual } from 'node:crypto'
import { proofIn } from '../../contract/index.ts'

/** What decides whether a request may come in. */
export interface AccessRules {
  /** Hosts (with port) by which this server is reached, e.g. `127.0.0.1:4210`. */
  hosts: ReadonlySet<string>
  /** Whose token, session or proof of a session this is, in a word that tells no secret; null when it opens nothing. */
  callerOf(offered: string): string | null
}

export interface AccessRequest {
  host: string | undefined
  origin: string | undefined
  authorization: string | undefined
  /** `Sec-WebSocket-Protocol`, where a page puts the proof of its session. */
  protocols: string | undefined
}

export type AccessAnswer = 'allowed' | 'wrong-host' | 'wrong-origin' | 'no-token'

/**
 * Host guards against DNS rebinding, Origin against other sites' pages, the token against other users of this
 * machine. A request without Origin is not from another site's script; it still needs a token. Cookies open nothing: a
 * browser sends them to every port of this machine.
 */
export function checkAccess(rules: AccessRules, request: AccessRequest): AccessAnswer {
  const foreign = checkSite(rules, request)
  if (foreign) return foreign
  return callerIn(rules, request) === null ? 'no-token' : 'allowed'
}

/** Whom the request comes from, if what it brings opens this server; else null. */
export function callerIn(
  { callerOf }: Pick<AccessRules, 'callerOf'>,
  { authorization, protocols }: Pick<AccessRequest, 'authorization' | 'protocols'>,
): string | null {
  const bearer = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
  for (const offered of [bearer, proofIn(protocols)]) {
    const caller = offered === undefined ? null : callerOf(offered)
    if (caller !== null) return caller
  }
  return null
}

/** The part of the check that needs no token. */
export function checkSite(
  rules: Pick<AccessRules, 'hosts'>,
  { host, origin }: Pick<AccessRequest, 'host' | 'origin'>,
): 'wrong-host' | 'wrong-origin' | undefined {
  if (!host || !rules.hosts.has(host.toLowerCase())) return 'wrong-host'
  if (origin === undefined) return undefined
  const originHost = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1]
  return originHost !== undefined && rules.hosts.has(originHost) ? undefined : 'wrong-origin'
}

/** Compares in a time that does not tell how much of the text was right. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
