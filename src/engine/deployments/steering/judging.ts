import type { Bin, Judgement } from '../../../contract/index.ts'
import { cleanBins, countsOf, type Counts, type JudgeMemory } from '../../canary/index.ts'
import { within } from '../../core/index.ts'
import { isHoldOver } from '../apply.ts'
import { answerableStep, isOnTrial, type DeploymentState } from '../state.ts'
import { answerWithinMs, type PipelineParts, type SteeredService } from './parts.ts'

/** Consecutive evaluations that a judge may fail; more count as a judgement. */
const maxConsecutiveFailures = 5
/** Time between two early looks for a certain failure. */
const earlyLookEveryMs = 5000
/** Most pages of bins to read for a baseline, in case a router never ends. */
const mostPages = 20

/** A judgement with the evidence behind it, to be stored together. */
export interface Judged {
  /** Null when nothing is judged and nothing is wrong; only the evidence is stored. */
  judgement: Judgement | null
  bins: readonly Bin[]
  memory: JudgeMemory | null
  cursor: string
}

/** How a candidate is looked at. */
export interface Look {
  /** An early look between two evaluations: only a certain failure counts. */
  isEarly: boolean
  /** Whether limits apply to its requests; otherwise only instance failures count. */
  isJudged: boolean
}

/** Asks the router and the judge about a candidate when it is time. */
export class Judging {
  readonly #parts: PipelineParts
  readonly #service: SteeredService
  #judgedAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  #of = ''
  #failureCount = 0

  constructor(parts: PipelineParts, service: SteeredService) {
    this.#parts = parts
    this.#service = service
  }

  /**
   * How to judge `state` now; null for not at all. There is an evaluation every `metricsEveryMs` from the start of a
   * hold and one at its end, and early looks in between, which act only on a certain failure. Where no step is judged,
   * instances are watched just as often.
   */
  due(state: DeploymentState): Look | null {
    const { plan, holdCount, id, pause } = state
    if (!isOnTrial(state)) return null
    const isJudged = !plan.skipAnalysis && plan.steps[answerableStep(state)]?.analysis === true
    const now = this.#parts.clock.monotonicMs()
    const hold = `${id}:${holdCount}`
    if (this.#of !== hold) {
      if (!this.#of.startsWith(`${id}:`)) this.#failureCount = 0
      this.#of = hold
      this.#judgedAt = now
      this.#lookedAt = now
    }
    if (now - this.#judgedAt >= plan.metricsEveryMs) return { isEarly: false, isJudged }
    const isOwed = isJudged && (state.judgedHold !== holdCount || !state.isJudgedAtEnd)
    if (isHoldOver(state) && isOwed && !pause) return { isEarly: false, isJudged }
    // A deployment paused for a failure has already reported it.
    const isEarlyLookDue = pause?.cause !== 'failure' && now - this.#lookedAt >= earlyLookEveryMs
    return isEarlyLookDue ? { isEarly: true, isJudged } : null
  }

  /**
   * The recent baseline of the stable release, and the cursor from which bins are new; null while the router does not
   * answer. Without that cursor the candidate would be judged on an earlier deployment.
   */
  async baseline(
    stableReleaseId: string | null,
  ): Promise<{ baseline: Counts | null; cursor: string } | null> {
    const bins: Bin[] = []
    let cursor: string | null = null
    for (let pages = 0; pages < mostPages; pages++) {
      const page = await this.#bins(cursor)
      if (!page.ok) return null
      bins.push(...page.value.bins)
      cursor = page.value.cursor
      if (page.value.bins.length === 0) break
    }
    const counts = countsOf(cleanBins(bins).bins, stableReleaseId ?? '')
    return { baseline: counts.requests > 0 ? counts : null, cursor: cursor ?? '' }
  }

  /**
   * One judgement. Null when the judge failed and must be asked again, and when an early look found nothing certain:
   * its bins then stay unread for the evaluation. `instanceTrouble` is why an instance of the candidate failed last.
   */
  async judge(
    state: DeploymentState,
    evidence: { memory: JudgeMemory | null; cursor: string | null },
    { isEarly, isJudged, instanceTrouble }: Look & { instanceTrouble: string },
  ): Promise<Judged | null> {
    const { clock, judge } = this.#parts
    this.#lookedAt = clock.monotonicMs()
    if (!isEarly) this.#judgedAt = this.#lookedAt
    const page = await this.#bins(evidence.cursor)
    const bins = page.ok ? page.value.bins : []
    const cursor = page.ok ? page.value.cursor : (evidence.cursor ?? '')
    const { candidateReleaseId, stableReleaseId, plan, baseline } = state
    const reply = await within(clock, answerWithinMs, `the judge ${judge.name}`, () =>
      judge.evaluate({
        context: { candidateReleaseId, stableReleaseId, limits: plan.limits, isFix: plan.isFix, baseline },
        memory: evidence.memory,
        bins,
        sourceTrouble: page.ok ? '' : page.error.message,
        hold: state.holdCount,
        step: answerableStep(state),
        isEarly,
        isJudged,
        instanceTrouble,
        weight: state.weight,
        exposedMs: state.exposedMs,
        isHoldOver: isHoldOver(state),
        atMs: clock.nowMs(),
      }),
    )
    if (isEarly && (!reply.ok || reply.value.judgement.decision !== 'rollback')) return null
    if (reply.ok) {
      this.#failureCount = 0
      const { bins: kept } = cleanBins(bins)
      const { judgement, memory } = reply.value
      const isSilent = !isJudged && judgement.decision !== 'rollback'
      return { judgement: isSilent ? null : judgement, memory, bins: kept, cursor }
    }
    this.#failureCount += 1
    this.#parts.log.warn('a judge failed', {
      judge: judge.name,
      error: reply.error.message,
      deployment: state.id,
    })
    if (!isJudged || this.#failureCount < maxConsecutiveFailures) return null
    // The bins stay unread, so a judge that recovers gets them all.
    return {
      judgement: {
        decision: plan.limits.onNoData === 'rollback' ? 'rollback' : 'inconclusive',
        text: `Nothing can be judged: ${reply.error.message}`,
        findings: [],
        atMs: clock.nowMs(),
      },
      bins: [],
      memory: evidence.memory,
      cursor: evidence.cursor ?? '',
    }
  }

  #bins(cursor: string | null) {
    const { router, definition } = this.#service
    return within(this.#parts.clock, answerWithinMs, `the router of ${definition.name}`, () =>
      router.bins(definition.name, cursor === '' ? null : cursor),
    )
  }
}
