import { seededRng } from '../../../../src/base/index.ts'
import {
  judgeLimitsSchema,
  latencyBoundsMs,
  type Bin,
  type JudgeLimits,
} from '../../../../src/contract/index.ts'
import { thresholdJudge, type JudgeReply, type JudgeRequest } from '../../../../src/engine/canary/index.ts'
import { uneventful } from '../../../support/uneventful.ts'

/** Traffic of one release in a second. */
export interface Made {
  releaseId: string
  requests: number
  errors?: number
  /** Middle of a lognormal latency, ms. */
  p50Ms?: number
}

const rng = seededRng(7)

/** A bin as a router would count it. */
export function bin(made: Made & Partial<Bin>, atMs = 0): Bin {
  const { releaseId, requests, errors = 0, p50Ms = 40, ...rest } = made
  const latencyCounts = new Array<number>(latencyBoundsMs.length + 1).fill(0)
  for (let i = 0; i < requests; i++) {
    const normal = Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next())
    const latencyMs = p50Ms * Math.exp(0.6 * normal)
    const slot = latencyBoundsMs.findIndex((bound) => latencyMs <= bound)
    const index = slot < 0 ? latencyBoundsMs.length : slot
    latencyCounts[index] = (latencyCounts[index] ?? 0) + 1
  }
  return {
    atMs,
    durationMs: 1000,
    releaseId,
    requests,
    errors,
    ...uneventful,
    timeouts: 0,
    inFlight: 0,
    oldestInFlightMs: 0,
    latencyCounts,
    ...rest,
  }
}

/** A judge at work on r2 against r1: each `look` is one evaluation, 30 s after the last. */
export class Watch {
  readonly #context: JudgeRequest['context']
  #memory: JudgeReply['memory'] | null = null
  #exposedMs = 0
  #atMs = 0
  hold = 1

  constructor(
    options: Partial<Omit<JudgeRequest['context'], 'limits'>> & { limits?: Partial<JudgeLimits> } = {},
  ) {
    this.#context = {
      candidateReleaseId: 'r2',
      stableReleaseId: 'r1',
      isFix: false,
      baseline: null,
      ...options,
      limits: judgeLimitsSchema.parse({ warmUpMs: 0, ...options.limits }),
    }
  }

  async look(made: readonly (Made & Partial<Bin>)[], rest: Partial<JudgeRequest> = {}) {
    this.#exposedMs += 30_000
    this.#atMs += 30_000
    const reply = await thresholdJudge.evaluate({
      context: this.#context,
      // Through JSON, as a restart would give it back.
      memory: JSON.parse(JSON.stringify(this.#memory)) as JudgeReply['memory'] | null,
      bins: made.map((each) =>
        'durationMs' in each && each.latencyCounts ? (each as Bin) : bin(each, this.#atMs),
      ),
      sourceTrouble: '',
      isJudged: true,
      hold: this.hold,
      step: 0,
      isEarly: false,
      instanceTrouble: '',
      weight: 10,
      exposedMs: this.#exposedMs,
      isHoldOver: false,
      atMs: this.#atMs,
      ...rest,
    })
    if (!reply.ok) throw reply.error
    this.#memory = reply.value.memory
    return reply.value.judgement
  }
}
