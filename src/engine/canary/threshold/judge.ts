import type { Bin, Finding, Judgement } from '../../../contract/index.ts'
import { assertNever, ok } from '../../core/index.ts'
import { cleanBins } from '../clean-bins.ts'
import { countsOf, errorRatio } from '../counts.ts'
import type { Judge, JudgeReply, JudgeRequest } from '../ports.ts'
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
import { milliseconds, percent } from './wording.ts'

/** Evaluations without data in a row after which the policy speaks. */
const blindLimit = 5
/** A release that fails this many attempts, and at least half of all, is not given three strikes nor a warm-up. */
const certainErrors = 20
const certainRatio = 0.5
/** Attempts this old without a single one that ended: the release hangs. */
const hungAfterMs = 10_000

type Decision = Judgement['decision']

interface Said {
  decision: Decision
  text: string
  findings: Finding[]
}

/**
 * The plain rules: each window of at least `minSamples` attempts is held to the limits, so many strikes in a row
 * decide, a warm-up is skipped. A release that plainly fails or hangs is not waited for.
 */
export const thresholdJudge: Judge = {
  name: 'threshold',
  evaluate: (request) => Promise.resolve(ok(evaluate(request))),
}

function evaluate(request: JudgeRequest): JudgeReply {
  const memory = recall(request)
  const { bins, trouble } = cleanBins(request.bins)
  const isBlind = request.sourceTrouble !== '' || (bins.length === 0 && trouble !== '')
  memory.blindCount = isBlind ? memory.blindCount + 1 : 0
  const isWarmUp = memory.exposedMs < request.context.limits.warmUpMs
  memory.exposedMs = request.exposedMs
  const fresh = pairOf(request, bins)
  const said =
    certainFailure(request, sumOf(memory.window, fresh)) ??
    hang(request, bins, fresh) ??
    (isBlind ? blind(request, memory, request.sourceTrouble || trouble) : null) ??
    (isWarmUp ? warmUp(request) : weigh(request, memory, fresh))
  return { memory: asJudgeMemory(memory), judgement: { ...said, atMs: request.atMs } }
}

const pairOf = ({ context }: JudgeRequest, bins: readonly Bin[]): Pair => ({
  candidate: countsOf(bins, context.candidateReleaseId),
  stable: countsOf(bins, context.stableReleaseId ?? ''),
})

/** Most attempts of a window fail, full or not, and not those of the stable release too. */
function certainFailure({ context, atMs }: JudgeRequest, { candidate, stable }: Pair): Said | null {
  const ratio = errorRatio(candidate) ?? 0
  if (candidate.errors < certainErrors || ratio < certainRatio) return null
  const stableRatio = errorRatio(stable)
  if (!context.isFix && stableRatio !== null && stableRatio >= certainRatio) return null
  const text = `${context.candidateReleaseId} fails ${percent(ratio)} of its requests: this is not waited for`
  return {
    decision: 'rollback',
    text,
    findings: [
      {
        metric: 'errors',
        unit: 'ratio',
        candidate: ratio,
        stable: stableRatio,
        limit: certainRatio,
        verdict: 'worse',
        sinceMs: atMs,
        text,
      },
    ],
  }
}

/** Attempts are under way, none ends. */
function hang(
  { context, weight, atMs }: JudgeRequest,
  bins: readonly Bin[],
  { candidate }: Pair,
): Said | null {
  if (weight === 0 || candidate.requests > 0) return null
  const last = bins.findLast(({ releaseId }) => releaseId === context.candidateReleaseId)
  if (!last || last.inFlight === 0 || last.oldestInFlightMs < hungAfterMs) return null
  const text = `${context.candidateReleaseId} hangs: ${last.inFlight} requests are under way, the oldest for ${milliseconds(last.oldestInFlightMs)}, and none has ended`
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
): Said {
  const text = `There is no data to judge on: ${why}`
  const findings = [finding('data', 'unclear', text, atMs, null)]
  if (blindCount < blindLimit) return { decision: 'continue', text, findings }
  return { decision: byPolicy(context.limits.onNoData, isHoldOver), text, findings }
}

function warmUp({ context }: JudgeRequest): Said {
  return { decision: 'continue', text: `${context.candidateReleaseId} is warming up`, findings: [] }
}

/** The plain case: data is there and counts. */
function weigh(request: JudgeRequest, memory: ThresholdMemory, fresh: Pair): Said {
  addPair(memory.window, fresh)
  addPair(memory.held, fresh)
  const { context, isHoldOver, atMs } = request
  const { limits, candidateReleaseId: name } = context
  const isFull = memory.window.candidate.requests >= limits.minSamples
  // Of a window without a request nothing could be told: the whole hold is shown instead.
  const shown = memory.window.candidate.requests > 0 ? memory.window : memory.held
  const outcomes = shown.candidate.requests > 0 ? holdToLimits(context, shown) : []
  if (isFull) {
    strike(memory, outcomes, atMs)
    clearWindow(memory)
    memory.windowCount += 1
  }
  const findings = dated(memory, outcomes, atMs)
  const struck = outcomes.find(({ rule }) => memory.strikes[rule] >= limits.strikes)
  if (struck) {
    const text = worst(findings) || `${name} was over a limit`
    return { decision: 'rollback', text: `${text}, ${limits.strikes} times in a row`, findings }
  }
  if (memory.windowCount > 0) {
    const isStruck = memory.strikes.errors + memory.strikes.latency > 0
    if (isStruck)
      return {
        decision: 'continue',
        text: worst(findings) || 'A limit was passed; the next window shows whether it stays so',
        findings,
      }
    return isHoldOver ? wholeHold(request, memory, findings) : good(name, memory, findings)
  }
  if (!isHoldOver) return { decision: 'continue', text: sofar(name, memory, limits.minSamples), findings }
  if (memory.held.candidate.requests === 0) return noTraffic(request, memory)
  const text = `${name} had ${memory.held.candidate.requests} requests, ${limits.minSamples} are needed to judge it`
  return {
    decision: 'inconclusive',
    text,
    findings: [...findings, finding('traffic', 'unclear', text, atMs, memory.held.candidate.requests)],
  }
}

/** At the end of a hold all of it is held to the limits once more: short bursts add up. */
function wholeHold({ context, atMs }: JudgeRequest, memory: ThresholdMemory, findings: Finding[]): Said {
  const outcomes = holdToLimits(context, memory.held)
  if (!outcomes.some(({ isOver }) => isOver)) return good(context.candidateReleaseId, memory, findings)
  const whole = outcomes.flatMap((outcome) => outcome.findings.map((each) => ({ ...each, sinceMs: atMs })))
  return { decision: 'rollback', text: `${worst(whole)}, over the whole hold`, findings: whole }
}

function noTraffic({ context, weight, atMs }: JudgeRequest, { held }: ThresholdMemory): Said {
  const { candidateReleaseId: name, limits } = context
  const text =
    held.stable.requests > 0
      ? `${name} had no requests although it shall get ${weight} %; the stable release had ${held.stable.requests}`
      : `The service had no requests: there is nothing to judge ${name} on`
  return {
    decision: byPolicy(limits.onNoTraffic, true),
    text,
    findings: [finding('traffic', 'unclear', text, atMs, 0)],
  }
}

const good = (name: string, { held }: ThresholdMemory, findings: Finding[]): Said => ({
  decision: 'promote',
  text: `${name} keeps every limit, over ${held.candidate.requests} requests`,
  findings,
})

const sofar = (name: string, { held }: ThresholdMemory, minSamples: number): string =>
  held.candidate.requests === 0
    ? `${name} has had no requests yet`
    : `${name} has had ${held.candidate.requests} of the ${minSamples} requests that a judgement needs`

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
