import { createHash, timingSafeEqual } from 'node:crypto'

/** What decides whether a request may come in; all of it known at the start of the server. */
export interface AccessRules {
  /** Hosts (with port) by which this server is reached, e.g. `127.0.0.1:4210`. */
  hosts: ReadonlySet<string>
  token: string
  cookieName: string
}

export interface AccessRequest {
  host: string | undefined
  origin: string | undefined
  authorization: string | undefined
  cookieToken: string | undefined
}

export type AccessAnswer = 'allowed' | 'wrong-host' | 'wrong-origin' | 'no-token'

/**
 * Host guards against DNS rebinding, Origin against other sites' pages, the token against other users of this
 * machine. A request without Origin is not from another site's script; it still needs the token.
 */
export function checkAccess(rules: AccessRules, request: AccessRequest): AccessAnswer {
  const foreign = checkSite(rules, request)
  if (foreign) return foreign
  const bearer = /^Bearer (.+)$/.exec(request.authorization ?? '')?.[1]
  const isKnown = [bearer, request.cookieToken].some(
    (offered) => offered !== undefined && sameText(offered, rules.token),
  )
  return isKnown ? 'allowed' : 'no-token'
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
