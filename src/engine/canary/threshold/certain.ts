import type { Finding, Judgement } from '../../../contract/index.ts'
import { logEvidence, wilson } from '../certainty.ts'
import {
  attempts,
  abandonedRatio,
  decided,
  errorRatio,
  failures,
  withOngoing,
  type Counts,
} from '../counts.ts'
import type { JudgeRequest } from '../ports.ts'
import { instanceFailures, type Pair, type ThresholdMemory } from './memory.ts'
import {
  abandonedLimit,
  abandonedText,
  absoluteErrorLimit,
  aside,
  divertedText,
  referenceFor,
} from './rules.ts'
import { often, percent, percentBeside, requestsText, within } from './wording.ts'

/** Failures that come together, such as the retries of one client, are not independent: fewer than this prove nothing. */
const fewestFailures = 10
/** Fewer requests than this of the stable release are no measure. */
const fewestToCompare = 20
/** How many times over the limit a share must be for nobody to wait; but no more than half of all requests. */
const grossFactor = 5
/** How many times over the limit the true share must be beyond chance. */
const excludedFactor = 2
export const grossRatio = 0.5
/** The chance of a false alarm that is accepted in a window: 1 in 10,000. */
export const certainty = Math.log(10_000)

export interface CertainVerdict {
  decision: Judgement['decision']
  text: string
  findings: Finding[]
}

/**
 * What is not waited for, warm-up or not: a share of failures, or of clients that gave up, so far over its limit that
 * chance is ruled out. What hits the stable release alike is not the candidate's fault.
 */
export function certainFailure(request: JudgeRequest, { candidate, stable }: Pair): CertainVerdict | null {
  const pair = { candidate: withOngoing(candidate), stable: withOngoing(stable) }
  return certainErrors(request, pair) ?? certainlyAbandoned(request, pair)
}

function certainErrors({ context, atMs }: JudgeRequest, { candidate, stable }: Pair): CertainVerdict | null {
  const { candidateReleaseId: name, limits } = context
  const ratio = errorRatio(candidate)
  if (ratio === null || failures(candidate) < fewestFailures) return null
  const absolute = absoluteErrorLimit(limits)
  const gross = Math.max(absolute, Math.min(grossFactor * absolute, grossRatio))
  if (ratio < gross) return null
  const excluded = Math.max(Math.min(excludedFactor * absolute, gross), 1e-3)
  if (logEvidence(failures(candidate), decided(candidate), excluded) < certainty) return null
  const reference = referenceFor(context, stable, fewestToCompare)
  if (reference && !isCertainlyWorse(candidate, reference.counts, limits.maxErrorRatioToStable)) return null
  const other = reference ? errorRatio(reference.counts) : null
  const text = `${name} fails ${percentBeside(absolute, ratio)} of ${requestsText(decided(candidate))}${aside(
    [
      divertedText(context, candidate),
      reference && other !== null ? `stable ${reference.name}: ${percent(other)}` : '',
      `limit ${percent(absolute)}`,
    ],
  )}, which is enough to decide now`
  return worse('errors', { candidate: ratio, stable: other, limit: absolute, text }, atMs)
}

/**
 * Given that a request failed, which of the two releases did it hit? Where the candidate's odds are at most `factor` times the
 * stable release's, it is the candidate with a chance of at most `most`, whatever rate both share (a conditional
 * binomial test, as for two Poisson rates: Przyborowski and Wilenski, Biometrika 1940).
 */
function isCertainlyWorse(candidate: Counts, stable: Counts, factor: number): boolean {
  const share = decided(candidate) / (decided(candidate) + decided(stable))
  const most = (share * factor) / (share * factor + 1 - share)
  const [own, other] = [failures(candidate), failures(stable)]
  return logEvidence(own, own + other, most) >= certainty
}

function certainlyAbandoned(
  { context, atMs }: JudgeRequest,
  { candidate, stable }: Pair,
): CertainVerdict | null {
  if (candidate.abandoned < fewestFailures) return null
  const { limit, stable: share } = abandonedLimit(context, stable)
  const answersNothing = decided(candidate) === 0
  // A release that answers nothing fixes nothing, however broken the stable one is.
  const excused =
    share === null || (context.isFix && answersNothing)
      ? 0
      : wilson(stable.abandoned, attempts(stable), 3).high
  const most = Math.max(grossRatio, excused)
  if (logEvidence(candidate.abandoned, attempts(candidate), most) < certainty) return null
  const text = abandonedText(context, candidate, { limit, stable: share })
  return worse('abandoned', { candidate: abandonedRatio(candidate), stable: share, limit, text }, atMs)
}

const worse = (
  metric: 'errors' | 'abandoned',
  rest: Pick<Finding, 'candidate' | 'stable' | 'limit' | 'text'>,
  sinceMs: number,
): CertainVerdict => ({
  decision: 'rollback',
  text: rest.text,
  findings: [{ metric, unit: 'ratio', verdict: 'worse', sinceMs, ...rest }],
})

/**
 * Failures of the candidate's instances since the deployment began, as a finding; null without any. Where the instances
 * of the stable release fail as often, it is the host's doing.
 */
export function instanceFinding(
  { context, instanceTrouble, atMs }: JudgeRequest,
  { instances: { candidate, stable }, firstInstanceFailureMs: sinceMs }: ThresholdMemory,
): Finding | null {
  const count = instanceFailures(candidate)
  if (count === 0) return null
  const { candidateReleaseId: name, stableReleaseId, limits, isFix } = context
  const limit = limits.maxInstanceFailures
  const others = instanceFailures(stable)
  const isShared = !isFix && stableReleaseId !== null && others >= count
  const isOver = count > limit && !isShared
  const why = instanceTrouble === '' ? '' : `: ${instanceTrouble}`
  const text = `${name} ${whatFailed(candidate)}${within(atMs - sinceMs)}${why}${aside([
    others > 0 ? `instances of stable ${stableReleaseId}: ${often(others)}` : '',
    isOver ? '' : `limit ${limit}`,
  ])}`
  return {
    metric: 'instances',
    unit: 'count',
    candidate: count,
    stable: stableReleaseId === null ? null : others,
    limit,
    verdict: isOver ? 'worse' : 'unclear',
    sinceMs,
    text,
  }
}

/** "crashed 5 times", "ran out of memory once", "failed its health check twice": the kind that happened most. */
function whatFailed({ crashes, oomKills, healthFailures, ejections }: Counts): string {
  const most = Math.max(crashes, healthFailures, ejections)
  if (crashes === most) {
    if (oomKills === crashes) return `ran out of memory ${often(crashes)}`
    const memory = oomKills > 0 ? `, ${oomKills} of them out of memory` : ''
    return `crashed ${often(crashes)}${memory}`
  }
  return healthFailures === most
    ? `failed its health check ${often(healthFailures)}`
    : `was ejected ${often(ejections)} because its requests failed`
}
