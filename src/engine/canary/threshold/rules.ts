import type { Finding, JudgeLimits } from '../../../contract/index.ts'
import { errorRatio, quantileMs, type Counts } from '../counts.ts'
import type { JudgeContext } from '../ports.ts'
import type { Pair, RuleName } from './memory.ts'
import { milliseconds, percent, percentBeside, times } from './wording.ts'

/** What a release is compared with, and how a person calls it. */
export interface Reference {
  counts: Counts
  name: string
}

/** One window held to one limit. */
export interface RuleOutcome {
  rule: RuleName
  isOver: boolean
  findings: Omit<Finding, 'sinceMs'>[]
}

/**
 * What the candidate is measured against: the stable release in the same window; before the deployment, where it has
 * too few requests now; nothing when it is known to be broken or there is none.
 */
export function referenceFor(context: JudgeContext, stable: Counts): Reference | null {
  const { stableReleaseId, limits, baseline, isFix } = context
  if (isFix || stableReleaseId === null) return null
  if (stable.requests >= limits.minSamples) return { counts: stable, name: stableReleaseId }
  if (baseline && baseline.requests >= limits.minSamples)
    return { counts: baseline, name: `${stableReleaseId} before the deployment` }
  return null
}

/** Holds a window, or a whole hold, to every limit. */
export function holdToLimits(context: JudgeContext, pair: Pair): RuleOutcome[] {
  const reference = referenceFor(context, pair.stable)
  return [errorsRule(context, pair.candidate, reference), latencyRule(context, pair.candidate, reference)]
}

/** The strictest of the two ways to say it: success at least, errors at most. */
const absoluteErrorLimit = (limits: JudgeLimits): number =>
  Math.min(limits.maxErrorRatio, 1 - limits.minSuccessRatio)

function errorsRule(context: JudgeContext, candidate: Counts, reference: Reference | null): RuleOutcome {
  const { candidateReleaseId: name, limits } = context
  const ratio = errorRatio(candidate) ?? 0
  const stable = reference ? errorRatio(reference.counts) : null
  const absolute = absoluteErrorLimit(limits)
  const isOverAbsolute = ratio > absolute + 1e-12
  const isOverRelative = stable !== null && exceedsTimes(candidate, stable, limits.maxErrorRatioToStable)
  const limit = isOverAbsolute || stable === null ? absolute : stable * limits.maxErrorRatioToStable
  const compared = reference && stable !== null ? `, ${reference.name} ${percent(stable)}` : ''
  let text = `${name} fails ${percentBeside(absolute, ratio)} of requests${compared}; the limit is ${percent(absolute)}`
  if (!isOverAbsolute && isOverRelative)
    text = `${name} fails ${percent(ratio)} of requests${compared}; the limit is ${times(limits.maxErrorRatioToStable)} that`
  const isOver = isOverAbsolute || isOverRelative
  return {
    rule: 'errors',
    isOver,
    findings: [
      {
        metric: 'errors',
        unit: 'ratio',
        candidate: ratio,
        stable,
        limit: isOver ? limit : absolute,
        verdict: isOver ? 'worse' : stable !== null && ratio < stable ? 'better' : 'same',
        text,
      },
    ],
  }
}

/**
 * Whether more attempts failed than `factor` times the reference's share explains, by three standard deviations of a
 * count: one error against none is chance, twenty are not.
 */
function exceedsTimes(candidate: Counts, referenceRatio: number, factor: number): boolean {
  const expected = candidate.requests * referenceRatio * factor
  return candidate.errors - expected > 3 * Math.sqrt(Math.max(1, expected))
}

/** The p95 is held to the limit; the others are shown beside it, for a person. */
const shown = [
  { metric: 'latency_p50', p: 0.5 },
  { metric: 'latency_p95', p: 0.95 },
  { metric: 'latency_p99', p: 0.99 },
] as const

/** One-sided 95 % of a normal: how sure a quantile of few requests must be before it counts against a release. */
const oneSided95 = 1.645

function latencyRule(context: JudgeContext, candidate: Counts, reference: Reference | null): RuleOutcome {
  const { candidateReleaseId: name, limits } = context
  const factor = 1 + limits.maxLatencyRegression
  let isOver = false
  const findings = shown.flatMap(({ metric, p }): RuleOutcome['findings'] => {
    const own = quantileMs(candidate, p)
    const other = reference ? quantileMs(reference.counts, p) : null
    if (own === null) return []
    const limit = other === null ? null : other * factor
    const sure = quantileMs(candidate, p - oneSided95 * Math.sqrt((p * (1 - p)) / candidate.requests)) ?? own
    const isWorse = limit !== null && sure > limit
    const quantile = metric.slice('latency_'.length)
    const isLimited = metric === 'latency_p95'
    const compared =
      reference && other !== null
        ? `, that of ${reference.name} ${milliseconds(other)}`
        : '; there is nothing to compare it with'
    if (isWorse && isLimited) isOver = true
    const limited = isLimited && limit !== null ? `; the limit is ${milliseconds(limit)}` : ''
    return [
      {
        metric,
        unit: 'ms',
        candidate: own,
        stable: other,
        limit: isLimited ? limit : null,
        verdict:
          limit === null || other === null ? 'unclear' : isWorse ? 'worse' : own < other ? 'better' : 'same',
        text: `The ${quantile} latency of ${name} is ${milliseconds(own)}${compared}${limited}`,
      },
    ]
  })
  return { rule: 'latency', isOver, findings }
}
