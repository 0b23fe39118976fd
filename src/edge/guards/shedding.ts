import type { Guards } from '../../contract/index.ts'

/** What RFC 9218 says of a request without a word on it. */
const usualUrgency = 3

/** Urgency of a request by its `Priority` header (RFC 9218): 0 the most urgent, 7 the least. */
export function urgencyOf(header: string | undefined): number {
  const match = /(?:^|[,\s])u=([0-7])(?:$|[,;\s])/.exec(header ?? '')
  return match ? Number(match[1]) : usualUrgency
}

/** Whether a request is refused to shed load; `uniform` in [0, 1). */
export const isShed = (
  shedding: Guards['shedding'],
  priority: string | undefined,
  uniform: number,
): boolean =>
  shedding !== null && uniform * 100 < shedding.percent && urgencyOf(priority) >= shedding.sparesUrgencyBelow
