import { assertNever, ok } from '../../../base/index.ts'
import { weightText, type Bin, type Finding, type Judgement } from '../../../contract/index.ts'
import { cleanBins } from '../clean-bins.ts'
import { attempts, countsOf, decided } from '../counts.ts'
import type { Judge, JudgeReply, JudgeRequest } from '../ports.ts'
import { certainFailure, instanceFinding, type Verdict } from './certain.ts'
import {
  addPair,
  asJudgeMemory,
  clearWindow,
  recall,
  sumOf,
  type Pair,
  type ThresholdMemory,
} from './memory.ts'
import { holdToLimits, type RuleOutcome } from './rules.ts'
import { consecutiveFailures, milliseconds, requestsText } from './wording.ts'

/** Evaluations without data in a row after which the policy speaks. */
const blindLimit = 5
/** Attempts this old without a single one that ended: the release hangs. */
const hungAfterMs = 10_000

type Decision = Judgement['decision']

/**
 * The plain rules: each window of at least `minSamples` requests is held to the limits, so many strikes in a row
 * decide, a warm-up is skipped. A release that certainly fails, hangs, or whose instances die is not waited for.
 */
export const thresholdJudge: Judge = {
  name: 'threshold',
  version: 1,
  evaluate: (request) => Promise.resolve(ok(evaluate(request))),
}

function evaluate(request: JudgeRequest): JudgeReply {
  const memory = recall(request)
  const { bins, trouble } = cleanBins(request.bins)
  watchInstances(memory, bins, request)
  const instances = instanceFinding(request, memory)
  if (!request.isJudged) return unjudged(request, memory, instances)
  const isBlind = request.sourceTrouble !== '' || (bins.length === 0 && trouble !== '')
  memory.blindCount = isBlind ? memory.blindCount + 1 : 0
  const isWarmUp = memory.exposedMs < request.context.limits.warmUpMs
  memory.exposedMs = request.exposedMs
  const fresh = pairOf(request, bins)
  // Dying instances come first: they explain the failed requests.
  const failed =
    (instances?.verdict === 'worse' ? rolledBack(instances) : null) ??
    certainFailure(request, sumOf(memory.recent, fresh)) ??
    certainFailure(request, sumOf(memory.window, fresh)) ??
    hang(request, bins, fresh)
  memory.recent = fresh
  const said =
    failed ??
    (request.isEarly ? nothingCertain : null) ??
    (isBlind ? blind(request, memory, request.sourceTrouble || trouble) : null) ??
    (isWarmUp ? warmUp(request) : weigh(request, memory, fresh))
  const findings =
    instances && !said.findings.includes(instances) ? [...said.findings, instances] : said.findings
  return { memory: asJudgeMemory(memory), judgement: { ...said, findings, atMs: request.atMs } }
}

const pairOf = ({ context }: JudgeRequest, bins: readonly Bin[]): Pair => ({
  candidate: countsOf(bins, context.candidateReleaseId),
  stable: countsOf(bins, context.stableReleaseId ?? ''),
})

const nothingCertain: Verdict = { decision: 'continue', text: 'No clear failure so far', findings: [] }

/** Where requests are not judged, instances that keep failing still end a deployment. */
function unjudged(request: JudgeRequest, memory: ThresholdMemory, instances: Finding | null): JudgeReply {
  const text = `${request.context.candidateReleaseId} is not judged on its requests at this step`
  const said: Verdict =
    instances?.verdict === 'worse'
      ? rolledBack(instances)
      : { decision: 'continue', text, findings: instances ? [instances] : [] }
  return { memory: asJudgeMemory(memory), judgement: { ...said, atMs: request.atMs } }
}

const rolledBack = (finding: Finding): Verdict => ({
  decision: 'rollback',
  text: finding.text,
  findings: [finding],
})

/** Failures of instances add up over the whole deployment: a slow crash loop spans holds. */
function watchInstances(
  memory: ThresholdMemory,
  bins: readonly Bin[],
  { context, atMs }: JudgeRequest,
): void {
  const plain = bins.map((bin) => ({ ...bin, latencyCounts: [] }))
  const { candidateReleaseId } = context
  for (const each of plain) {
    if (each.releaseId !== candidateReleaseId && each.releaseId !== context.stableReleaseId) continue
    const failed = Math.max(each.crashes, each.healthFailures, each.ejections)
    if (failed > 0 && each.releaseId === candidateReleaseId && memory.firstInstanceFailureMs === 0)
      memory.firstInstanceFailureMs = Math.min(each.atMs, atMs)
  }
  addPair(memory.instances, {
    candidate: countsOf(plain, candidateReleaseId),
    stable: countsOf(plain, context.stableReleaseId ?? ''),
  })
}

/** Attempts are in progress, none ends. */
function hang(
  { context, weight, atMs }: JudgeRequest,
  bins: readonly Bin[],
  { candidate }: Pair,
): Verdict | null {
  if (weight === 0 || decided(candidate) > 0) return null
  const last = bins.findLast(({ releaseId }) => releaseId === context.candidateReleaseId)
  if (!last || last.inFlight === 0 || last.oldestInFlightMs < hungAfterMs) return null
  const text = `${context.candidateReleaseId} hangs: ${requestsText(last.inFlight)} in progress, the oldest for ${milliseconds(last.oldestInFlightMs)}, and none has finished`
  return {
    decision: 'rollback',
    text,
    findings: [finding('traffic', 'worse', text, atMs - last.oldestInFlightMs, last.inFlight)],
  }
}

function blind(
  { context, isHoldOver, atMs }: JudgeRequest,
  { blindCount }: ThresholdMemory,
  why: string,
): Verdict {
  const text = `No data to judge: ${why}`
  const findings = [finding('data', 'unclear', text, atMs, null)]
  if (blindCount < blindLimit) return { decision: 'continue', text, findings }
  return { decision: byPolicy(context.limits.onNoData, isHoldOver), text, findings }
}

function warmUp({ context }: JudgeRequest): Verdict {
  return { decision: 'continue', text: `${context.candidateReleaseId} is warming up`, findings: [] }
}

/** The plain case: data is there and counts. */
function weigh(request: JudgeRequest, memory: ThresholdMemory, fresh: Pair): Verdict {
  addPair(memory.window, fresh)
  addPair(memory.held, fresh)
  const { context, isHoldOver, atMs } = request
  const { limits, candidateReleaseId: name } = context
  const isFull = attempts(memory.window.candidate) >= limits.minSamples
  // Of a window without a request nothing could be told: the whole hold is shown instead.
  const shown = attempts(memory.window.candidate) > 0 ? memory.window : memory.held
  const outcomes = attempts(shown.candidate) > 0 ? holdToLimits(context, shown) : []
  if (isFull) {
    strike(memory, outcomes, atMs)
    clearWindow(memory)
    memory.windowCount += 1
  }
  const findings = dated(memory, outcomes, atMs)
  const struck = outcomes.find(({ rule }) => memory.strikes[rule] >= limits.strikes)
  if (struck) {
    const text = worst(findings) || `${name} exceeded a limit`
    return { decision: 'rollback', text: `${text}${consecutiveFailures(limits.strikes)}`, findings }
  }
  if (memory.windowCount > 0) {
    const isStruck = Object.values(memory.strikes).some((count) => count > 0)
    if (isStruck)
      return {
        decision: 'continue',
        text: worst(findings) || `${name} exceeded a limit; the next judgment shows whether it still does`,
        findings,
      }
    if (decided(memory.held.candidate) === 0) return unanswered(request, memory, findings)
    return isHoldOver ? wholeHold(request, memory, findings) : good(name, memory, findings)
  }
  if (!isHoldOver) return { decision: 'continue', text: sofar(name, memory, limits.minSamples), findings }
  const count = attempts(memory.held.candidate)
  if (count === 0) return noTraffic(request, memory)
  memory.isShort = true
  const text = `${name} had ${requestsText(count)}; ${limits.minSamples} are needed to judge it`
  return {
    decision: 'inconclusive',
    text,
    findings: [...findings, finding('traffic', 'unclear', text, atMs, count)],
  }
}

/** Clients gave up on every request, on those to the stable release too: neither good nor the candidate's fault. */
function unanswered(
  { context, isHoldOver }: JudgeRequest,
  { held }: ThresholdMemory,
  findings: Finding[],
): Verdict {
  const text = `Clients gave up on all ${requestsText(attempts(held.candidate))} to ${context.candidateReleaseId} before it answered`
  return { decision: isHoldOver ? 'inconclusive' : 'continue', text, findings }
}

/** At the end of a hold all of it is held to the limits once more: short bursts add up. */
function wholeHold({ context, atMs }: JudgeRequest, memory: ThresholdMemory, findings: Finding[]): Verdict {
  const outcomes = holdToLimits(context, memory.held)
  if (!outcomes.some(({ isOver }) => isOver)) return good(context.candidateReleaseId, memory, findings)
  const whole = outcomes.flatMap((outcome) => outcome.findings.map((each) => ({ ...each, sinceMs: atMs })))
  return { decision: 'rollback', text: `${worst(whole)}, over the whole step`, findings: whole }
}

function noTraffic({ context, weight, atMs }: JudgeRequest, { held }: ThresholdMemory): Verdict {
  const { candidateReleaseId: name, limits } = context
  const text =
    attempts(held.stable) > 0
      ? `${name} had no requests at a weight of ${weightText(weight)} (stable ${context.stableReleaseId}: ${attempts(held.stable)})`
      : `The service had no requests, so ${name} cannot be judged`
  return {
    decision: byPolicy(limits.onNoTraffic, true),
    text,
    findings: [finding('traffic', 'unclear', text, atMs, 0)],
  }
}

const good = (name: string, { held }: ThresholdMemory, findings: Finding[]): Verdict => ({
  decision: 'promote',
  text: `${name} stays within every limit over ${requestsText(attempts(held.candidate))}`,
  findings,
})

const sofar = (name: string, { held }: ThresholdMemory, minSamples: number): string =>
  attempts(held.candidate) === 0
    ? `${name} has had no requests yet`
    : `${name} has had ${attempts(held.candidate)} of the ${minSamples} requests needed to judge it`

function strike(memory: ThresholdMemory, outcomes: readonly RuleOutcome[], atMs: number): void {
  for (const { rule, isOver } of outcomes) {
    if (isOver && memory.strikes[rule] === 0) memory.sinceMs[rule] = atMs
    memory.strikes[rule] = isOver ? memory.strikes[rule] + 1 : 0
  }
}

const dated = (memory: ThresholdMemory, outcomes: readonly RuleOutcome[], atMs: number): Finding[] =>
  outcomes.flatMap(({ rule, findings }) =>
    findings.map((each) => ({
      ...each,
      sinceMs: memory.strikes[rule] > 0 ? memory.sinceMs[rule] : atMs,
    })),
  )

const worst = (findings: readonly Finding[]): string =>
  findings.find(({ verdict, limit }) => verdict === 'worse' && limit !== null)?.text ?? ''

function finding(
  metric: 'traffic' | 'data',
  verdict: Finding['verdict'],
  text: string,
  sinceMs: number,
  candidate: number | null,
): Finding {
  return { metric, unit: 'count', candidate, stable: null, limit: null, verdict, sinceMs, text }
}

function byPolicy(policy: 'pause' | 'promote' | 'rollback', isHoldOver: boolean): Decision {
  switch (policy) {
    case 'pause':
      return 'inconclusive'
    case 'rollback':
      return 'rollback'
    case 'promote':
      return isHoldOver ? 'promote' : 'continue'
    default:
      return assertNever(policy)
  }
}
