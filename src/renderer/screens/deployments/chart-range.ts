import type { TimeRange } from '../../charts/index.ts'

const leastSpanMs = 5000

/** The stretch that the address names, within `whole`; the whole when it names none that makes sense. */
export function chartRange(query: URLSearchParams, whole: TimeRange): TimeRange {
  const from = Number(query.get('from') ?? Number.NaN)
  const to = Number(query.get('to') ?? Number.NaN)
  const fromMs = Math.max(from, whole.fromMs)
  const toMs = Math.min(to, whole.toMs)
  return toMs - fromMs >= leastSpanMs ? { fromMs, toMs } : whole
}
