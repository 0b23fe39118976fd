import { longWaitMs, type Bin } from '../../../contract/index.ts'
import { logEvidence, wilson } from '../certainty.ts'
import { addCounts, countsOf, decided, noCounts, type Counts } from '../counts.ts'
import type { JudgeContext, JudgeRequest } from '../ports.ts'
import { certainty, grossRatio, type CertainVerdict } from './certain.ts'
import type { Pair, ThresholdMemory } from './memory.ts'
import { aside } from './rules.ts'
import { duration, milliseconds, percent, requestsText } from './wording.ts'

/** How many times longer than at the stable release a request may wait where long waits are usual. */
const longestWaitFactor = 2

/** Requests with and without a response. */
interface Responses {
  /** Those that waited for `longWaitMs` or longer, or still do. */
  late: number
  inTime: number
}

/** The newest bin of a release among `bins`. */
export const newestOf = (bins: readonly Bin[], releaseId: string): Bin | undefined =>
  bins.findLast((bin) => bin.releaseId === releaseId)

/**
 * Whether the candidate leaves requests without a response, or stops in the middle of responses, and the stable release does
 * not. `bins` and `fresh` are what is new since the last evaluation.
 */
export function hang(
  request: JudgeRequest,
  memory: ThresholdMemory,
  bins: readonly Bin[],
  fresh: Pair,
): CertainVerdict | null {
  const newest = newestOf(bins, request.context.candidateReleaseId)
  if (request.weight === 0 || !newest || newest.inFlight === 0) return null
  if (newest.unanswered === undefined) return endsNothing(request, newest, bins, fresh)
  return answersNothing(request, memory, newest, bins, fresh) ?? stopsMidway(request, memory, newest, fresh)
}

/** Requests wait for the first byte of a response for longer than those to the stable release. */
function answersNothing(
  { context, atMs }: JudgeRequest,
  memory: ThresholdMemory,
  newest: Bin,
  bins: readonly Bin[],
  { candidate, stable }: Pair,
): CertainVerdict | null {
  const { unanswered = 0, oldestUnansweredMs = 0, longInFlight = 0 } = newest
  const own: Responses = {
    late: unanswered,
    inTime: Math.max(decided(candidate), candidate.begun) + longInFlight - unanswered,
  }
  const sinceMs = newest.atMs + newest.durationMs - oldestUnansweredMs
  const isCompared = !context.isFix && context.stableReleaseId !== null
  const others = isCompared ? bins.filter(({ releaseId }) => releaseId === context.stableReleaseId) : []
  const meanwhile = responsesOf(others.filter(({ atMs: beganMs }) => beganMs >= sinceMs))
  const usual = isCompared ? usualResponses(context, memory, stable) : none
  const reference = lateShare(meanwhile) >= lateShare(usual) ? meanwhile : usual
  const longestMs = Math.max(0, ...others.map((bin) => bin.oldestUnansweredMs ?? 0))
  const isFarLonger = own.inTime === 0 && longestMs > 0 && oldestUnansweredMs >= longestWaitFactor * longestMs
  if (own.late === 0 || !(isFarLonger || isCertain(own, reference, isCompared))) return null
  const text = `${context.candidateReleaseId} hangs: no response to ${shareText(own)} for ${duration(longWaitMs)} or more${aside(
    [`longest wait ${milliseconds(oldestUnansweredMs)}`, stableText(context, isCompared, reference)],
  )}`
  return hanging(text, atMs - oldestUnansweredMs, unanswered)
}

/**
 * Responses begin, and then nothing more of them comes, unlike those of the stable release. Event streams may stay quiet, so
 * nothing is told without responses of the stable release.
 */
function stopsMidway(
  { context, atMs }: JudgeRequest,
  { stalls }: ThresholdMemory,
  { stalled = 0, unanswered = 0, longInFlight = 0 }: Bin,
  { candidate }: Pair,
): CertainVerdict | null {
  if (stalled === 0 || stalls.late + stalls.inTime === 0) return null
  const late = stalled + unanswered
  const own: Responses = { late, inTime: decided(candidate) + longInFlight - late }
  if (!isCertain(own, stalls, true)) return null
  const text = `${context.candidateReleaseId} hangs: nothing more came of the responses to ${shareText(own)} for ${duration(longWaitMs)} or more${aside(
    [stableText(context, true, stalls)],
  )}`
  return hanging(text, atMs - longWaitMs, late)
}

/** What an edge that does not tell which responses have begun allows to say: attempts are in progress and none ends. */
function endsNothing(
  { context, atMs }: JudgeRequest,
  { inFlight, oldestInFlightMs }: Bin,
  bins: readonly Bin[],
  { candidate }: Pair,
): CertainVerdict | null {
  if (decided(candidate) > 0 || oldestInFlightMs < longWaitMs) return null
  const isUsual =
    !context.isFix &&
    bins.some((bin) => bin.releaseId === context.stableReleaseId && bin.oldestInFlightMs >= oldestInFlightMs)
  if (isUsual) return null
  const text = `${context.candidateReleaseId} hangs: ${requestsText(inFlight)} in progress, the oldest for ${milliseconds(oldestInFlightMs)}, and none has finished`
  return hanging(text, atMs - oldestInFlightMs, inFlight)
}

/**
 * Notes how often responses of the stable release stop midway. The most that was seen is kept: streams may be quiet all
 * at once until their next heartbeat.
 */
export function watchStalls(
  memory: ThresholdMemory,
  bins: readonly Bin[],
  { stableReleaseId }: JudgeContext,
): void {
  const own = bins.filter(({ releaseId }) => releaseId === stableReleaseId)
  const late = most(own, ({ stalled = 0, unanswered = 0 }) => stalled + unanswered)
  const { longInFlight = 0, stalled = 0, unanswered = 0 } = own.at(-1) ?? {}
  const counts = countsOf(own, stableReleaseId ?? '')
  const seen = { late, inTime: decided(counts) + Math.max(0, longInFlight - stalled - unanswered) }
  if (lateShare(seen) >= lateShare(memory.stalls)) memory.stalls = seen
}

const none: Responses = { late: 0, inTime: 0 }

/** How long the responses of one release took to begin, those included that have not. */
function responsesOf(bins: readonly Bin[]): Responses {
  const sum = noCounts()
  for (const bin of bins) addCounts(sum, bin)
  const waiting = most(bins, ({ unanswered = 0 }) => unanswered)
  return { late: sum.begunLate + waiting, inTime: sum.begun - sum.begunLate }
}

const most = (bins: readonly Bin[], of: (bin: Bin) => number): number => Math.max(0, ...bins.map(of))

/** How long the responses of the stable release take to begin: before the deployment, and in this hold. */
function usualResponses({ baseline }: JudgeContext, { held }: ThresholdMemory, stable: Counts): Responses {
  const sum = noCounts()
  for (const counts of [baseline, held.stable, stable]) if (counts) addCounts(sum, counts)
  return { late: sum.begunLate, inTime: sum.begun - sum.begunLate }
}

const lateShare = ({ late, inTime }: Responses): number => (late > 0 ? late / (late + inTime) : 0)

/**
 * Whether chance is ruled out. Where every request of the candidate is late: that all of them would be at the stable release as well.
 * Where some are not: that at most half are, or no larger share than at the stable release.
 */
function isCertain(own: Responses, reference: Responses, isCompared: boolean): boolean {
  if (own.inTime === 0) return -own.late * Math.log(lateShare(reference)) >= certainty
  const { late, inTime } = reference
  const usual = isCompared ? wilson(late, late + inTime, 3).high : 0
  return logEvidence(own.late, own.late + own.inTime, Math.max(grossRatio, usual)) >= certainty
}

/** "12 requests" where all are late, "40 of 52 requests" where some are not. */
const shareText = ({ late, inTime }: Responses): string =>
  inTime === 0 ? requestsText(late) : `${late} of ${requestsText(late + inTime)}`

const stableText = ({ stableReleaseId }: JudgeContext, isCompared: boolean, reference: Responses): string =>
  isCompared && stableReleaseId !== null ? `stable ${stableReleaseId}: ${percent(lateShare(reference))}` : ''

const hanging = (text: string, sinceMs: number, count: number): CertainVerdict => ({
  decision: 'rollback',
  text,
  findings: [
    {
      metric: 'traffic',
      unit: 'count',
      candidate: count,
      stable: null,
      limit: null,
      verdict: 'worse',
      sinceMs,
      text,
    },
  ],
})
