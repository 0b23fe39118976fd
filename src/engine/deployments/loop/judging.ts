import type { Bin, Judgement } from '../../../contract/index.ts'
import { cleanBins, countsOf, type Counts, type JudgeMemory } from '../../canary/index.ts'
import { within } from '../../core/index.ts'
import { isHoldOver } from '../apply.ts'
import { answerableStep, type DeploymentState } from '../state.ts'
import { answerWithinMs, type PipelineParts, type SteeredService } from './parts.ts'

/** Evaluations in a row that a judge may fail before that is a judgement of its own. */
const failuresInARow = 5
/** Pages of bins that are read for a baseline: a router that gives more has no end. */
const mostPages = 20

/** A judgement with the evidence behind it, to be stored together. */
export interface Judged {
  judgement: Judgement
  bins: readonly Bin[]
  memory: JudgeMemory | null
  cursor: string
}

/** Asks router and judge how a candidate does, when it is time. */
export class Judging {
  readonly #parts: PipelineParts
  readonly #service: SteeredService
  #judgedAt = Number.NEGATIVE_INFINITY
  #of = ''
  #failureCount = 0

  constructor(parts: PipelineParts, service: SteeredService) {
    this.#parts = parts
    this.#service = service
  }

  /** Whether `state` is to be judged now: each `metricsEveryMs` from a hold on, and when the hold's time is up. */
  isDue(state: DeploymentState): boolean {
    const { plan, holdCount, id } = state
    if (plan.skipAnalysis || plan.steps[answerableStep(state)]?.analysis !== true) return false
    const now = this.#parts.clock.monotonicMs()
    const hold = `${id}:${holdCount}`
    if (this.#of !== hold) {
      if (!this.#of.startsWith(`${id}:`)) this.#failureCount = 0
      this.#of = hold
      this.#judgedAt = now
    }
    if (now - this.#judgedAt >= plan.metricsEveryMs) return true
    return isHoldOver(state) && (state.judgedHold !== holdCount || !state.isJudgedAtEnd) && !state.pause
  }

  /**
   * What the stable release did lately, and from where on bins are news; null while the router does not answer: without that
   * place the candidate would be judged on what it did in an earlier deployment.
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

  /** One judgement; null when the judge failed and is to be asked again. */
  async judge(
    state: DeploymentState,
    evidence: { memory: JudgeMemory | null; cursor: string | null },
  ): Promise<Judged | null> {
    const { clock, judge } = this.#parts
    this.#judgedAt = clock.monotonicMs()
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
        weight: state.weight,
        exposedMs: state.exposedMs,
        isHoldOver: isHoldOver(state),
        atMs: clock.nowMs(),
      }),
    )
    if (reply.ok) {
      this.#failureCount = 0
      const { bins: kept } = cleanBins(bins)
      return { judgement: reply.value.judgement, memory: reply.value.memory, bins: kept, cursor }
    }
    this.#failureCount += 1
    this.#parts.log.warn('a judge failed', {
      judge: judge.name,
      error: reply.error.message,
      deployment: state.id,
    })
    if (this.#failureCount < failuresInARow) return null
    // The bins stay unread: a judge that returns gets them all.
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
