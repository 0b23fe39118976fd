import { addCounts, noCounts, type Counts } from '../counts.ts'
import type { JudgeMemory, JudgeRequest } from '../ports.ts'

/** Limits that a window is held to; each has its own strikes. */
const ruleNames = ['errors', 'abandoned', 'latency'] as const
export type RuleName = (typeof ruleNames)[number]

/** Counts of both releases. */
export interface Pair {
  candidate: Counts
  stable: Counts
}

const version = 2

/** What the judge keeps between two evaluations. */
export interface ThresholdMemory {
  version: typeof version
  hold: number
  step: number
  /** Counted since the last window was held to the limits. */
  window: Pair
  /** Counted between the last two evaluations, warm-up included: what certain failures are looked for in. */
  recent: Pair
  /** Counted since the hold began. */
  held: Pair
  /** Failures of instances since the deployment began; of the rest nothing. */
  instances: Pair
  /** The evaluation in which the largest share of the stable release's responses had stopped midway. */
  stalls: { late: number; inTime: number }
  /** Wall time at which the first instance of the candidate had failed, UTC epoch ms; 0 without one. */
  firstInstanceFailureMs: number
  /** The hold ended with too few requests: another look at the same step counts on. */
  isShort: boolean
  /** Windows of this hold that were held to the limits. */
  windowCount: number
  strikes: Record<RuleName, number>
  /** Wall time of the first strike of the row, UTC epoch ms; 0 without one. */
  sinceMs: Record<RuleName, number>
  /** Evaluations in a row for which the source had no data. */
  blindCount: number
  /** Exposure at the last evaluation: what came before it was judged or skipped. */
  exposedMs: number
}

const noPair = (): Pair => ({ candidate: noCounts(), stable: noCounts() })

const freshMemory = (hold: number, step: number): ThresholdMemory => ({
  version,
  hold,
  step,
  window: noPair(),
  recent: noPair(),
  held: noPair(),
  instances: noPair(),
  stalls: { late: 0, inTime: 0 },
  firstInstanceFailureMs: 0,
  isShort: false,
  windowCount: 0,
  strikes: { errors: 0, abandoned: 0, latency: 0 },
  sinceMs: { errors: 0, abandoned: 0, latency: 0 },
  blindCount: 0,
  exposedMs: 0,
})

/**
 * The memory to go on with, safe to change in place. Strikes outlast a hold, its counts do not, unless the step is looked
 * at again because it had too few requests; nor does what has decided already. Memory of another version or judge is of
 * no use and gives a fresh one.
 */
export function recall({
  memory,
  hold,
  step,
  context,
}: Pick<JudgeRequest, 'memory' | 'hold' | 'step' | 'context'>): ThresholdMemory {
  if (memory?.['version'] !== version) return freshMemory(hold, step)
  const kept = complete(structuredClone(memory) as unknown as ThresholdMemory)
  if (kept.hold === hold) return kept
  if (kept.isShort && kept.step === step) return { ...kept, hold, isShort: false }
  const strikes = { ...kept.strikes }
  for (const rule of ruleNames) if (strikes[rule] >= context.limits.strikes) strikes[rule] = 0
  const hasDecided = instanceFailures(kept.instances.candidate) > context.limits.maxInstanceFailures
  return {
    ...kept,
    hold,
    step,
    window: noPair(),
    recent: noPair(),
    held: noPair(),
    isShort: false,
    windowCount: 0,
    strikes,
    ...(hasDecided ? { instances: noPair(), firstInstanceFailureMs: 0 } : {}),
  }
}

/** With the counts and notes that memory of before they existed lacks. */
const complete = (kept: ThresholdMemory): ThresholdMemory => ({
  ...freshMemory(kept.hold, kept.step),
  ...kept,
  window: sumOf(noPair(), kept.window),
  recent: sumOf(noPair(), kept.recent),
  held: sumOf(noPair(), kept.held),
  instances: sumOf(noPair(), kept.instances),
})

/** Failures of instances: a process that dies often fails its health check or is ejected as well, and counts once. */
export const instanceFailures = ({ crashes, healthFailures, ejections }: Counts): number =>
  Math.max(crashes, healthFailures, ejections)

/** As plain data for the port. */
export const asJudgeMemory = (memory: ThresholdMemory): JudgeMemory => ({ ...memory })

export function addPair(sum: Pair, more: Pair): void {
  addCounts(sum.candidate, more.candidate)
  addCounts(sum.stable, more.stable)
}

/** Both together; neither is changed. */
export function sumOf(one: Pair, other: Pair): Pair {
  const sum = structuredClone(one)
  addPair(sum, other)
  return sum
}

export function clearWindow(memory: ThresholdMemory): void {
  memory.window = noPair()
}
