import type { Result } from '../../base/index.ts'
import type { Bin, JudgeLimits, Judgement } from '../../contract/index.ts'
import type { Counts } from './counts.ts'

/** What a judge knows of a deployment before any bin. */
export interface JudgeContext {
  candidateReleaseId: string
  /** Null for the first release of a service: only absolute limits can be held to. */
  stableReleaseId: string | null
  limits: JudgeLimits
  /** Stable is known to be broken: it is no measure. */
  isFix: boolean
  /** Of the stable release, captured before the deployment touched anything; null when it had no traffic. */
  baseline: Counts | null
}

/** State of a judge between two evaluations: plain data, stored as JSON with the bins that led to it. */
export type JudgeMemory = Record<string, unknown>

/** Evidence of a deployment, with the judge's memory after it and where to read on. */
export interface EvidenceChange {
  kind: 'addEvidence'
  deploymentId: string
  bins: readonly Bin[]
  memory: JudgeMemory | null
  /** Of the router's bins; a restart reads on from here. */
  cursor: string | null
}

/** Port: the evidence of judgements at rest. Fails as the state database does. */
export interface EvidenceStore {
  /** Oldest first. */
  binsOf(deploymentId: string): Promise<Result<Bin[]>>
}

export interface JudgeRequest {
  context: JudgeContext
  /** Of the last reply; null at the first evaluation. */
  memory: JudgeMemory | null
  /** New since the last evaluation, of both releases, oldest first, gaps already dropped. */
  bins: readonly Bin[]
  /** Why there are no bins this time: a sentence; empty when the source answered. */
  sourceTrouble: string
  /** Which hold, from 1: another one than last time begins anew, strikes and long evidence are carried over. */
  hold: number
  /** Index of the plan's step that the hold is of. */
  step: number
  /**
   * An early look between two evaluations: only a failure that is certain already is told, anything else is `continue`. Its
   * memory is kept only with a failure.
   */
  isEarly: boolean
  /**
   * False where no limit applies to requests: before the first traffic, in steps without analysis, and after a person's
   * order to promote. Only failures of instances decide there; anything else is `continue`.
   */
  isJudged: boolean
  /** Why an instance of the candidate failed last, as a clause; empty when none is known to have. */
  instanceTrouble: string
  /** Of the candidate at the router, percent. */
  weight: number
  /** Time watched since the candidate first had traffic, ms; pauses and gaps do not count. */
  exposedMs: number
  /** The hold's time is up: `continue` then means that a little more is needed. */
  isHoldOver: boolean
  atMs: number
}

export interface JudgeReply {
  memory: JudgeMemory
  /** `promote` is "good as far as seen": the hold may end when its time is up. */
  judgement: Judgement
}

/**
 * Port: whether a candidate is as good as it must be. Deterministic in its request, so that stored evidence can be
 * judged again. A judge that fails or does not answer is a source without data: it never promotes.
 */
export interface Judge {
  readonly name: string
  /** Grows when the same request may be answered otherwise than before. */
  readonly version: number
  evaluate(request: JudgeRequest): Promise<Result<JudgeReply>>
}
