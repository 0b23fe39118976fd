import type { Finding, JudgeLimits } from '../../../contract/index.ts'
import { leastExcess, wilson } from '../certainty.ts'
import {
  abandonedRatio,
  addCounts,
  attempts,
  decided,
  errorRatio,
  failures,
  measured,
  noCounts,
  quantileMs,
  withOngoing,
  type Counts,
} from '../counts.ts'
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
export function referenceFor(
  { stableReleaseId, limits, baseline, isFix }: JudgeContext,
  stable: Counts,
  least = limits.minSamples,
): Reference | null {
  if (isFix || stableReleaseId === null) return null
  if (decided(stable) >= least) return { counts: stable, name: stableReleaseId }
  const before = noCounts()
  if (baseline) addCounts(before, baseline)
  if (decided(before) >= least) return { counts: before, name: `${stableReleaseId} before the deployment` }
  return null
}

/** Holds a window, or a whole hold, to every limit. */
export function holdToLimits(context: JudgeContext, pair: Pair): RuleOutcome[] {
  const candidate = withOngoing(pair.candidate)
  const stable = withOngoing(pair.stable)
  return [
    errorsRule(context, candidate, referenceFor(context, stable)),
    abandonedRule(context, { candidate, stable }),
    latencyRule(context, pair.candidate, referenceFor(context, pair.stable)),
  ]
}

/** The strictest of the two ways to say it: success at least, errors at most. */
export const absoluteErrorLimit = (limits: JudgeLimits): number =>
  Math.min(limits.maxErrorRatio, 1 - limits.minSuccessRatio)

function errorsRule(context: JudgeContext, candidate: Counts, reference: Reference | null): RuleOutcome {
  const { candidateReleaseId: name, limits } = context
  const ratio = errorRatio(candidate)
  if (ratio === null) return { rule: 'errors', isOver: false, findings: [] }
  const stable = reference ? errorRatio(reference.counts) : null
  const absolute = absoluteErrorLimit(limits)
  const isOverAbsolute = ratio > absolute + 1e-12 && isEnough(candidate, absolute, limits)
  const isOverRelative = stable !== null && exceedsTimes(candidate, stable, limits.maxErrorRatioToStable)
  const isOver = isOverAbsolute || isOverRelative
  const limit = isOverAbsolute || stable === null ? absolute : stable * limits.maxErrorRatioToStable
  const isRelative = !isOverAbsolute && isOverRelative
  const text = `${name} fails ${percentBeside(absolute, ratio)} of requests${aside([
    divertedText(context, candidate),
    reference && stable !== null ? `stable ${reference.name}: ${percent(stable)}` : '',
    isRelative ? `limit ${times(limits.maxErrorRatioToStable)} that` : `limit ${percent(absolute)}`,
  ])}`
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

/** "20 answered by r1"; empty without any. */
export const divertedText = ({ stableReleaseId }: JudgeContext, { diverted }: Counts): string =>
  diverted > 0 ? `${diverted} answered by ${stableReleaseId ?? 'another release'}` : ''

/** Whether a share over the limit is not chance: where most clients left, only few requests tell of errors. */
const isEnough = (candidate: Counts, limit: number, { minSamples }: JudgeLimits): boolean =>
  decided(candidate) >= minSamples || wilson(failures(candidate), decided(candidate), oneSided95).low > limit

/**
 * Whether more requests failed than `factor` times the reference's share explains, by three standard deviations of a
 * count: one error against none is chance, twenty are not.
 */
function exceedsTimes(candidate: Counts, referenceRatio: number, factor: number): boolean {
  const expected = decided(candidate) * referenceRatio * factor
  return failures(candidate) - expected > 3 * Math.sqrt(Math.max(1, expected))
}

/** Fewer clients than this that left are chance. */
const fewestAbandoned = 10
/** Fewer requests than this of the stable release say nothing of how patient clients are now. */
const fewestToCompare = 20
/** Standard deviations by which a share of abandoned requests must exceed what it is held to. */
const sureOfAbandoned = 3
/** With nothing to compare with, a release of which most clients give up is bad. */
const mostAbandoned = 0.5

/**
 * The share of requests whose clients may leave before the answer, and what it is taken from. Clients are as patient with one
 * release as with the other: the candidate may lose as many more as it may fail. A broken stable release excuses
 * no more than half, unless it loses more itself.
 */
export function abandonedLimit(
  { stableReleaseId, isFix, limits }: JudgeContext,
  stable: Counts,
): { limit: number; stable: number | null } {
  const share =
    stableReleaseId !== null && attempts(stable) >= fewestToCompare ? abandonedRatio(stable) : null
  if (share === null) return { limit: mostAbandoned, stable: null }
  return {
    limit: isFix ? Math.max(mostAbandoned, share) : Math.min(1, share + absoluteErrorLimit(limits)),
    stable: share,
  }
}

function abandonedRule(context: JudgeContext, { candidate, stable }: Pair): RuleOutcome {
  const ratio = abandonedRatio(candidate)
  const { limit, stable: share } = abandonedLimit(context, stable)
  if (ratio === null || (candidate.abandoned === 0 && stable.abandoned === 0))
    return { rule: 'abandoned', isOver: false, findings: [] }
  const own = { successes: candidate.abandoned, trials: attempts(candidate) }
  const other = { successes: stable.abandoned, trials: attempts(stable) }
  const isExcess =
    share === null
      ? wilson(own.successes, own.trials, sureOfAbandoned).low > limit
      : leastExcess(own, other, sureOfAbandoned) > Math.max(0, limit - share)
  const isOver = candidate.abandoned >= fewestAbandoned && isExcess
  return {
    rule: 'abandoned',
    isOver,
    findings: [
      {
        metric: 'abandoned',
        unit: 'ratio',
        candidate: ratio,
        stable: share,
        limit,
        verdict: isOver ? 'worse' : share !== null && ratio < share ? 'better' : 'same',
        text: abandonedText(context, candidate, { limit, stable: share }),
      },
    ],
  }
}

/** "Clients gave up on 82% of requests to r2 before it answered (stable r1: 3%, limit 4%)". */
export function abandonedText(
  { candidateReleaseId: name, stableReleaseId }: JudgeContext,
  candidate: Counts,
  { limit, stable }: { limit: number; stable: number | null },
): string {
  const ratio = abandonedRatio(candidate) ?? 0
  const how = decided(candidate) === 0 ? `all ${candidate.abandoned}` : `${percentBeside(limit, ratio)} of`
  return `Clients gave up on ${how} requests to ${name} before it answered${aside([
    stableReleaseId !== null && stable !== null ? `stable ${stableReleaseId}: ${percent(stable)}` : '',
    limit < 1 ? `limit ${percent(limit)}` : '',
  ])}`
}

/** ` (a, b)` of what is not empty. */
export function aside(parts: readonly string[]): string {
  const said = parts.filter((part) => part !== '')
  return said.length === 0 ? '' : ` (${said.join(', ')})`
}

/** The p95 is held to the limit; the others are shown beside it, for a person. */
const shown = [
  { metric: 'latency_p50', p: 0.5 },
  { metric: 'latency_p95', p: 0.95 },
  { metric: 'latency_p99', p: 0.99 },
] as const

/** One-sided 95% of a normal: how sure a quantile of few requests must be before it counts against a release. */
const oneSided95 = 1.645

function latencyRule(context: JudgeContext, candidate: Counts, reference: Reference | null): RuleOutcome {
  const { candidateReleaseId: name, limits } = context
  const factor = 1 + limits.maxLatencyRegression
  let isOver = false
  // The few requests that a broken release still answers are no measure.
  const comparable =
    reference && measured(reference.counts) >= decided(reference.counts) / 2 ? reference : null
  const findings = shown.flatMap(({ metric, p }): RuleOutcome['findings'] => {
    const own = quantileMs(candidate, p)
    const other = comparable ? quantileMs(comparable.counts, p) : null
    if (own === null) return []
    const limit = other === null ? null : other * factor
    const spread = oneSided95 * Math.sqrt((p * (1 - p)) / Math.max(1, measured(candidate)))
    const sure = quantileMs(candidate, p - spread) ?? own
    const isWorse = limit !== null && sure > limit
    const quantile = metric.slice('latency_'.length)
    const isLimited = metric === 'latency_p95'
    if (isWorse && isLimited) isOver = true
    return [
      {
        metric,
        unit: 'ms',
        candidate: own,
        stable: other,
        limit: isLimited ? limit : null,
        verdict:
          limit === null || other === null ? 'unclear' : isWorse ? 'worse' : own < other ? 'better' : 'same',
        text: `${quantile} latency of ${name} is ${milliseconds(own)}${aside([
          comparable && other !== null
            ? `stable ${comparable.name}: ${milliseconds(other)}`
            : 'nothing to compare with',
          isLimited && limit !== null ? `limit ${milliseconds(limit)}` : '',
        ])}`,
      },
    ]
  })
  return { rule: 'latency', isOver, findings }
}
