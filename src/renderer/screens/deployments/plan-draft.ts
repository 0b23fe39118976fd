import type { Plan, PlanOptions } from '../../../contract/index.ts'

/** What a person fills in, as typed; an empty field is null and leaves it to preset and configuration. */
export interface PlanDraft {
  /** Of the configuration, one of the presets, or the steps below. */
  choice: 'configured' | 'conservative' | 'balanced' | 'aggressive' | 'own'
  steps: StepDraft[]
  isFix: boolean
  maxTimeMinutes: number | null
  maxErrorPercent: number | null
  /** How much slower p95 may be. */
  maxSlowerPercent: number | null
  leastRequests: number | null
  onFailure: Plan['onFailure'] | ''
  onInconclusive: Plan['onInconclusive'] | ''
}

export interface StepDraft {
  weight: number | null
  holdSeconds: number | null
  isJudged: boolean
  gate: boolean
}

export const choices = ['configured', 'conservative', 'balanced', 'aggressive', 'own'] as const

export const newStep = (weight: number): StepDraft => ({
  weight,
  holdSeconds: 300,
  isJudged: true,
  gate: false,
})

export const newDraft = (): PlanDraft => ({
  choice: 'configured',
  steps: [newStep(10), newStep(50)],
  isFix: false,
  maxTimeMinutes: null,
  maxErrorPercent: null,
  maxSlowerPercent: null,
  leastRequests: null,
  onFailure: '',
  onInconclusive: '',
})

/** The draft as the options of a deployment: only what the person chose, the configuration holds for the rest. */
export function optionsOf(draft: PlanDraft): PlanOptions {
  const { choice, steps, isFix, maxTimeMinutes, onFailure, onInconclusive } = draft
  const limits = limitsOf(draft)
  return {
    ...(choice === 'configured' || choice === 'own' ? {} : { preset: choice }),
    ...(choice === 'own'
      ? {
          steps: steps.map(({ weight, holdSeconds, isJudged, gate }) => ({
            weight: weight ?? 0,
            holdMs: Math.round((holdSeconds ?? 0) * 1000),
            analysis: isJudged,
            gate,
          })),
        }
      : {}),
    ...(maxTimeMinutes === null ? {} : { maxTimeMs: Math.round(maxTimeMinutes * 60_000) }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(onFailure === '' ? {} : { onFailure }),
    ...(onInconclusive === '' ? {} : { onInconclusive }),
    ...(isFix ? { isFix } : {}),
  }
}

function limitsOf({
  maxErrorPercent,
  maxSlowerPercent,
  leastRequests,
}: PlanDraft): NonNullable<PlanOptions['limits']> {
  return {
    // Success is the other side of errors: one that stayed stricter would make the figure typed here mean nothing.
    ...(maxErrorPercent === null
      ? {}
      : { maxErrorRatio: maxErrorPercent / 100, minSuccessRatio: 1 - maxErrorPercent / 100 }),
    ...(maxSlowerPercent === null ? {} : { maxLatencyRegression: maxSlowerPercent / 100 }),
    ...(leastRequests === null ? {} : { minSamples: leastRequests }),
  }
}

const isWithin = (value: number | null, least: number, most = Infinity): boolean =>
  value !== null && value >= least && value <= most

/** What is wrong with the draft, before the engine is asked; empty when nothing is. */
export function draftMistake(draft: PlanDraft): string {
  return (draft.choice === 'own' ? stepsMistake(draft.steps) : '') || limitsMistake(draft)
}

function stepsMistake(steps: readonly StepDraft[]): string {
  if (steps.length === 0) return 'A plan needs at least one step.'
  const broken = steps.findIndex(
    ({ weight, holdSeconds }) => !isWithin(weight, 0, 100) || !isWithin(holdSeconds, 0),
  )
  if (broken >= 0) return `Step ${broken + 1} needs 0 to 100% of traffic and a hold of at least 0 s.`
  const falling = steps.findIndex(({ weight }, index) => (weight ?? 0) < (steps[index - 1]?.weight ?? 0))
  return falling > 0 ? `Step ${falling + 1} has less traffic than the one before it.` : ''
}

function limitsMistake(draft: PlanDraft): string {
  const { maxTimeMinutes, maxErrorPercent, maxSlowerPercent, leastRequests } = draft
  if (maxTimeMinutes !== null && !isWithin(maxTimeMinutes, 1 / 60))
    return 'The maximum duration must be at least 1 s.'
  if (maxErrorPercent !== null && !isWithin(maxErrorPercent, 0, 100))
    return 'The error rate must be 0 to 100%.'
  if (maxSlowerPercent !== null && !isWithin(maxSlowerPercent, 0))
    return 'The p95 increase must be at least 0%, or empty.'
  if (leastRequests !== null && !(isWithin(leastRequests, 1) && Number.isInteger(leastRequests)))
    return 'Minimum requests must be a whole number of at least 1.'
  return ''
}
