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

/** How a request counts whose response came to its end. */
export const outcomeOfWhole = ({ status }: Begun): Outcome => (status >= 500 ? 'failed' : 'answered')

/** How a request counts whose response had begun and did not come to its end. The rule is that of `binSchema`. */
export function outcomeOfCut({ status, hasLength, isEventStream, hasBytes }: Begun, by: CutBy): Outcome {
  if (by === 'instance' || status >= 500) return 'failed'
  if (!hasLength && (hasBytes || isEventStream)) return 'unmeasured'
  return by === 'client' ? 'abandoned' : 'timed_out'
}
