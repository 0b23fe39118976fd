import { assertNever, ok } from '../../../base/index.ts'
import { longWaitMs, weightText, type Bin, type Finding, type Judgement } from '../../../contract/index.ts'
import { cleanBins } from '../clean-bins.ts'
import { attempts, countsOf, decided, ongoing, withOngoing, type Counts } from '../counts.ts'
import type { Judge, JudgeReply, JudgeRequest } from '../ports.ts'
import { certainFailure, instanceFinding, type CertainVerdict } from './certain.ts'
import { hang, newestOf, watchStalls } from './hang.ts'
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
import { consecutiveFailures, duration, requestsText } from './wording.ts'

/** Evaluations without data in a row after which the policy speaks. */
const blindLimit = 5

type Decision = Judgement['decision']

/**
 * The plain rules: each window of at least `minSamples` requests is held to the limits, so many strikes in a row
 * decide, a warm-up is skipped. A release that certainly fails, hangs, or whose instances die is not waited for.
 */
export const thresholdJudge: Judge = {
  name: 'threshold',
  version: 2,
  evaluate: (request) => Promise.resolve(ok(evaluate(request))),
}

function evaluate(request: JudgeRequest): JudgeReply {
  const memory = recall(request)
  const { bins, trouble } = cleanBins(request.bins)
  watchInstances(memory, bins, request)
  watchStalls(memory, bins, request.context)
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
    hang(request, memory, bins, fresh)
  memory.recent = fresh
  const said =
    failed ??
    (request.isEarly ? nothingCertain : null) ??
    (isBlind ? blind(request, memory, request.sourceTrouble || trouble) : null) ??
    (isWarmUp ? warmUp(request) : weigh(request, memory, bins, fresh))
  const findings =
    instances && !said.findings.includes(instances) ? [...said.findings, instances] : said.findings
  return { memory: asJudgeMemory(memory), judgement: { ...said, findings, atMs: request.atMs } }
}

const pairOf = ({ context }: JudgeRequest, bins: readonly Bin[]): Pair => ({
  candidate: countsOf(bins, context.candidateReleaseId),
  stable: countsOf(bins, context.stableReleaseId ?? ''),
})

const nothingCertain: CertainVerdict = { decision: 'continue', text: 'No clear failure so far', findings: [] }

/** Where requests are not judged, instances that keep failing still end a deployment. */
function unjudged(request: JudgeRequest, memory: ThresholdMemory, instances: Finding | null): JudgeReply {
  const text = `${request.context.candidateReleaseId} is not judged on its requests at this step`
  const said: CertainVerdict =
    instances?.verdict === 'worse'
      ? rolledBack(instances)
      : { decision: 'continue', text, findings: instances ? [instances] : [] }
  return { memory: asJudgeMemory(memory), judgement: { ...said, atMs: request.atMs } }
}

const rolledBack = (finding: Finding): CertainVerdict => ({
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

function blind(
  { context, isHoldOver, atMs }: JudgeRequest,
  { blindCount }: ThresholdMemory,
  why: string,
): CertainVerdict {
  const text = `No data to judge: ${why}`
  const findings = [finding('data', 'unclear', text, atMs, null)]
  if (blindCount < blindLimit) return { decision: 'continue', text, findings }
  return { decision: byPolicy(context.limits.onNoData, isHoldOver), text, findings }
}

function warmUp({ context }: JudgeRequest): CertainVerdict {
  return { decision: 'continue', text: `${context.candidateReleaseId} is warming up`, findings: [] }
}

/** The plain case: data is there and counts. */
function weigh(
  request: JudgeRequest,
  memory: ThresholdMemory,
  bins: readonly Bin[],
  fresh: Pair,
): CertainVerdict {
  addPair(memory.window, fresh)
  addPair(memory.held, fresh)
  const { context, isHoldOver, atMs } = request
  const { limits, candidateReleaseId: name } = context
  const isFull = attempts(memory.window.candidate) >= limits.minSamples
  // Of a window without a request nothing could be told: the whole hold is shown instead.
  const shown = attempts(memory.window.candidate) > 0 ? memory.window : memory.held
  const outcomes = attempts(withOngoing(shown.candidate)) > 0 ? holdToLimits(context, shown) : []
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
  const newest = newestOf(bins, name)
  const inFlight = newest?.inFlight ?? 0
  if (!isHoldOver)
    return { decision: 'continue', text: sofar(name, memory, inFlight, limits.minSamples), findings }
  const count = attempts(memory.held.candidate)
  if (count === 0 && inFlight === 0) return noTraffic(request, memory)
  const inProgress = newest ? flowing(memory.held.candidate, newest) : 0
  if (count + inProgress >= limits.minSamples) return wholeHold(request, memory, findings, inProgress)
  memory.isShort = true
  const text = tooFew(name, count, newest, limits.minSamples)
  return {
    decision: 'inconclusive',
    text,
    findings: [...findings, finding('traffic', 'unclear', text, atMs, count)],
  }
}

/** Responses in progress that began in this hold and keep coming. */
function flowing(held: Counts, { inFlight, stalled = 0 }: Bin): number {
  return Math.min(Math.max(0, ongoing(held) - stalled), inFlight)
}

/** Why the requests of a hold do not suffice, and what to do where its responses outlast it. */
function tooFew(name: string, count: number, newest: Bin | undefined, minSamples: number): string {
  const { inFlight = 0, oldestInFlightMs = 0, unanswered = 0 } = newest ?? {}
  const isLong = oldestInFlightMs >= longWaitMs
  if (count > 0 && !isLong) return `${name} had ${requestsText(count)}; ${minSamples} are needed to judge it`
  const waiting =
    unanswered > 0 ? `, ${unanswered} without a response for ${duration(longWaitMs)} or more` : ''
  const advice = isLong ? '. Use a longer hold if responses outlast the step' : ''
  return `${name} finished ${requestsText(count)} and has ${inFlight} in progress${waiting}; ${minSamples} are needed to judge it${advice}`
}

/** Clients gave up on every request, on those to the stable release too: neither good nor the candidate's fault. */
function unanswered(
  { context, isHoldOver }: JudgeRequest,
  { held }: ThresholdMemory,
  findings: Finding[],
): CertainVerdict {
  const text = `Clients gave up on all ${requestsText(attempts(held.candidate))} to ${context.candidateReleaseId} before it answered`
  return { decision: isHoldOver ? 'inconclusive' : 'continue', text, findings }
}

/** At the end of a hold all of it is held to the limits once more: short bursts add up. */
function wholeHold(
  { context, atMs }: JudgeRequest,
  memory: ThresholdMemory,
  findings: Finding[],
  inProgress = 0,
): CertainVerdict {
  const outcomes = holdToLimits(context, memory.held)
  if (!outcomes.some(({ isOver }) => isOver))
    return good(context.candidateReleaseId, memory, findings, inProgress)
  const whole = outcomes.flatMap((outcome) => outcome.findings.map((each) => ({ ...each, sinceMs: atMs })))
  return { decision: 'rollback', text: `${worst(whole)}, over the whole step`, findings: whole }
}

function noTraffic({ context, weight, atMs }: JudgeRequest, { held }: ThresholdMemory): CertainVerdict {
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

const good = (
  name: string,
  { held }: ThresholdMemory,
  findings: Finding[],
  inProgress = 0,
): CertainVerdict => ({
  decision: 'promote',
  text: `${name} stays within every limit over ${requestsText(attempts(held.candidate) + inProgress)}${
    inProgress > 0 ? `, ${inProgress} of them in progress` : ''
  }`,
  findings,
})

function sofar(name: string, { held }: ThresholdMemory, inFlight: number, minSamples: number): string {
  const count = attempts(held.candidate)
  if (count > 0) return `${name} has had ${count} of the ${minSamples} requests needed to judge it`
  return inFlight === 0
    ? `${name} has had no requests yet`
    : `${name} has ${requestsText(inFlight)} in progress; none has finished yet`
}

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
