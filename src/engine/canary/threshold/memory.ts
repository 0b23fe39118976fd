import { addCounts, noCounts, type Counts } from '../counts.ts'
import type { JudgeMemory, JudgeRequest } from '../ports.ts'

/** Limits that a window is held to; each has its own strikes. */
export const ruleNames = ['errors', 'latency'] as const
export type RuleName = (typeof ruleNames)[number]

/** Counts of both releases. */
export interface Pair {
  candidate: Counts
  stable: Counts
}

/** What the judge keeps between two evaluations. */
export interface ThresholdMemory {
  version: 1
  hold: number
  /** Counted since the last window was held to the limits. */
  window: Pair
  /** Counted since the hold began. */
  held: Pair
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

const freshMemory = (hold: number): ThresholdMemory => ({
  version: 1,
  hold,
  window: noPair(),
  held: noPair(),
  windowCount: 0,
  strikes: { errors: 0, latency: 0 },
  sinceMs: { errors: 0, latency: 0 },
  blindCount: 0,
  exposedMs: 0,
})

/**
 * The memory to go on with, safe to change in place. Strikes outlast a hold, its counts do not, nor do strikes that have
 * decided already. Memory of another version or judge is of no use and gives a fresh one.
 */
export function recall({
  memory,
  hold,
  context,
}: Pick<JudgeRequest, 'memory' | 'hold' | 'context'>): ThresholdMemory {
  if (memory?.['version'] !== 1) return freshMemory(hold)
  const kept = structuredClone(memory) as unknown as ThresholdMemory
  if (kept.hold === hold) return kept
  const strikes = { ...kept.strikes }
  for (const rule of ruleNames) if (strikes[rule] >= context.limits.strikes) strikes[rule] = 0
  return { ...kept, hold, window: noPair(), held: noPair(), windowCount: 0, strikes }
}

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
