import {
  launchGrantSchema,
  launchTokenIn,
  launchUrl,
  sessionGrantSchema,
  sessionPaths,
} from '../../src/contract/index.ts'

/** The session that a launch address opens, which uses it up. It also counts as `Authorization: Bearer`. */
export async function sessionOf(address: string): Promise<string> {
  const { origin, hash } = new URL(address)
  const response = await fetch(origin + sessionPaths.session, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: launchTokenIn(hash) }),
  })
  if (!response.ok) throw new Error(`${origin} refused the launch token with ${response.status}`)
  return sessionGrantSchema.parse(await response.json()).session
}

/** A new launch address, from whoever holds a session. */
export async function launchAddress(origin: string, session: string): Promise<string> {
  const response = await fetch(origin + sessionPaths.launch, {
    method: 'POST',
    headers: { authorization: `Bearer ${session}` },
  })
  if (!response.ok) throw new Error(`${origin} gave no launch token: ${response.status}`)
  return launchUrl(origin, launchGrantSchema.parse(await response.json()).token)
}
