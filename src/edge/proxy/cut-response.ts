import type { Duplex } from 'node:stream'
import type { Outcome } from '../counts/index.ts'

/** A response that has begun, as far as it matters once it is cut. */
export interface Begun {
  readonly status: number
  /** Its head announces a Content-Length. */
  readonly hasLength: boolean
  /** Its head announces an event stream, which may stay quiet for as long as it likes. */
  readonly isEventStream: boolean
  /** At least a byte of its body has come. */
  hasBytes: boolean
}

/** Who ended a response before its end: the client left or broke off its own body, a limit of ours cut it, or the instance broke it. */
export type CutBy = 'client' | 'limit' | 'instance'

/** A response of which the head has come. */
export const begun = (
  status: number,
  hasLength: boolean,
  contentType: string | string[] | undefined,
): Begun => ({
  status,
  hasLength,
  isEventStream: /^text\/event-stream\s*(?:;|$)/i.test([contentType].flat()[0] ?? ''),
  hasBytes: false,
})

const cutByEdge = new WeakSet<Duplex>()

/** Ends a client's connection for a reason of the edge's own: it closes a port, or its time for a drain is over. */
export function cutOff(connection: Duplex): void {
  cutByEdge.add(connection)
  connection.destroy()
}

/** Who ended a client's connection that has closed: the edge with `cutOff`, or else the client. */
export const closedBy = (connection: Duplex): 'client' | 'limit' =>
  cutByEdge.has(connection) ? 'limit' : 'client'

/** How a request counts whose response came to its end. */
export const outcomeOfWhole = ({ status }: Begun): Outcome => (status >= 500 ? 'failed' : 'answered')

/**
 * How a request counts whose response did not come to its end; null for one that had not begun. The rule is that of
 * `binSchema`.
 */
export function outcomeOfCut(response: Begun | null, by: CutBy): Outcome {
  const { status, hasLength, isEventStream, hasBytes } = response ?? notBegun
  if (by === 'instance' || status >= 500) return 'failed'
  if (!hasLength && (hasBytes || isEventStream)) return 'unmeasured'
  return by === 'client' ? 'abandoned' : 'timed_out'
}

/** Without an answer there is nothing to count by but who ended it. */
const notBegun: Begun = { status: 0, hasLength: false, isEventStream: false, hasBytes: false }
