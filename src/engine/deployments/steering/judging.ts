import type { Bin, Judgement } from '../../../contract/index.ts'
import { cleanBins, countsOf, type Counts, type JudgeMemory } from '../../canary/index.ts'
import { within } from '../../core/index.ts'
import { isHoldOver } from '../apply.ts'
import { answerableStep, isOnTrial, type DeploymentState } from '../state.ts'
import { answerWithinMs, type PipelineParts, type SteeredService } from './parts.ts'

/** Evaluations in a row that a judge may fail before that is a judgement of its own. */
const maxConsecutiveFailures = 5
/** Between two early looks for a failure that is certain already. */
const earlyLookEveryMs = 5000
/** Pages of bins that are read for a baseline: a router that gives more has no end. */
const mostPages = 20

/** A judgement with the evidence behind it, to be stored together. */
export interface Judged {
  /** Null where nothing is judged and nothing is wrong: the evidence alone is kept. */
  judgement: Judgement | null
  bins: readonly Bin[]
  memory: JudgeMemory | null
  cursor: string
}

/** How a candidate is looked at. */
export interface Look {
  /** Between two evaluations: only a failure that is certain already counts. */
  isEarly: boolean
  /** Whether limits apply to its requests; if not, only failures of its instances count. */
  isJudged: boolean
}

/** Asks router and judge how a candidate does, when it is time. */
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
   * How `state` is to be looked at now, null for not: an evaluation each `metricsEveryMs` from a hold on and when the hold's
   * time is up, and early looks between them, which only act on a certain failure. Where no step is judged, its instances
   * are watched as often.
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
    // What is paused for a failure has been told of it.
    const isEarlyLookDue = pause?.cause !== 'failure' && now - this.#lookedAt >= earlyLookEveryMs
    return isEarlyLookDue ? { isEarly: true, isJudged } : null
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

  /**
   * One judgement; null when the judge failed and is to be asked again, and when an early look found nothing certain: its
   * bins then stay unread for the evaluation. `instanceTrouble` is why an instance of the candidate failed last.
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
