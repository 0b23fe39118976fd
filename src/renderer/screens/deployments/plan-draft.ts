import type { PlanOptions } from '../../../contract/index.ts'

/** What a person fills in; times in seconds, as typed. */
export interface PlanDraft {
  /** Of the configuration, one of the presets, or the steps below. */
  choice: 'configured' | 'conservative' | 'balanced' | 'aggressive' | 'own'
  steps: StepDraft[]
  isFix: boolean
}

export interface StepDraft {
  weight: number
  holdSeconds: number
  gate: boolean
}

export const choices = ['configured', 'conservative', 'balanced', 'aggressive', 'own'] as const

export const newDraft = (): PlanDraft => ({
  choice: 'configured',
  steps: [
    { weight: 10, holdSeconds: 300, gate: false },
    { weight: 50, holdSeconds: 300, gate: false },
  ],
  isFix: false,
})

/** The draft as the options of a deployment: only what the person chose, the configuration holds for the rest. */
export function optionsOf({ choice, steps, isFix }: PlanDraft): PlanOptions {
  return {
    ...(choice === 'configured' || choice === 'own' ? {} : { preset: choice }),
    ...(choice === 'own'
      ? {
          steps: steps.map(({ weight, holdSeconds, gate }) => ({
            weight,
            holdMs: Math.round(holdSeconds * 1000),
            analysis: true,
            gate,
          })),
        }
      : {}),
    ...(isFix ? { isFix } : {}),
  }
}

/** What is wrong with the steps, before the engine is asked; empty when nothing is. */
export function draftMistake({ choice, steps }: PlanDraft): string {
  if (choice !== 'own') return ''
  if (steps.length === 0) return 'A plan needs at least one step.'
  const broken = steps.findIndex(
    ({ weight, holdSeconds }) => !(weight >= 0 && weight <= 100) || !(holdSeconds >= 0),
  )
  if (broken >= 0) return `Step ${broken + 1} needs a share of 0 to 100 % and a hold of at least 0 s.`
  const falling = steps.findIndex(({ weight }, index) => weight < (steps[index - 1]?.weight ?? 0))
  return falling > 0 ? `Step ${falling + 1} has less traffic than the one before it.` : ''
}
