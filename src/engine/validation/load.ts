import { errorRatio, latencyText, share, writtenShare } from '../../contract/index.ts'
import { quantileMs, type Counts } from '../canary/index.ts'
import { failed, passed, warned, type CheckVerdict } from './model.ts'

export interface LoadLimits {
  /** Share of requests, 0 to 1. */
  maxErrorRatio: number
  /** Null: only against the baseline. */
  maxP95Ms: number | null
  /** Of the p95 against the stable release's: 0.2 is 20 % slower. */
  maxRegression: number
  /** Fewer requests than this say nothing. */
  minRequests: number
}

/** Fewer requests than this make no p95 to compare with. */
const fewestOfBaseline = 100

/** Holds a short load against its limits and, where there is one, the stored baseline of the stable release. */
export function judgeLoad(measured: Counts, baseline: Counts | null, limits: LoadLimits): CheckVerdict {
  const ratio = errorRatio(measured)
  const p95 = quantileMs(measured, 0.95)
  if (ratio === null || p95 === null || measured.requests < limits.minRequests)
    return failed(
      `Only ${measured.requests} requests were answered or failed; ${limits.minRequests} are needed for a result.`,
    )
  const before = baseline && baseline.requests >= fewestOfBaseline ? quantileMs(baseline, 0.95) : null
  const facts = `${measured.requests} requests, ${share(ratio)} failed, p95 ${latencyText(p95)}`
  const output = `${facts}, p50 ${latencyText(quantileMs(measured, 0.5))}, p99 ${latencyText(quantileMs(measured, 0.99))}, stable p95 ${latencyText(before)}`
  const complaints: string[] = []
  if (ratio > limits.maxErrorRatio)
    complaints.push(
      `${share(ratio)} of the requests failed; the limit is ${writtenShare(limits.maxErrorRatio)}`,
    )
  if (limits.maxP95Ms !== null && p95 > limits.maxP95Ms)
    complaints.push(`p95 is ${latencyText(p95)}; the limit is ${latencyText(limits.maxP95Ms)}`)
  if (before !== null && p95 > before * (1 + limits.maxRegression))
    complaints.push(
      `p95 is ${latencyText(p95)}, stable release ${latencyText(before)}; it may be at most ${writtenShare(limits.maxRegression)} higher`,
    )
  if (complaints.length > 0) return failed(`Load test failed: ${complaints.join('; ')}.`, output)
  if (before === null && limits.maxP95Ms === null)
    return warned(`${facts}; there is no latency baseline to compare with.`, output)
  return passed(`Load test passed: ${facts}.`, output)
}
