import type { Deployment } from '../model/deployments.ts'
import { weightText } from './shares.ts'

/**
 * How far a deployment had come that was taken back: `at step 2 of 4 (25%)`. Empty where it was not, never had traffic,
 * or was taken back by an earlier version, which did not keep it.
 */
export function reachedText({ reached, plan }: Pick<Deployment, 'reached' | 'plan'>): string {
  if (!reached) return ''
  const { stepIndex, weight } = reached
  if (stepIndex < plan.steps.length)
    return `at step ${stepIndex + 1} of ${plan.steps.length} (${weightText(weight)})`
  return weight === 100 ? 'after promotion (100%)' : `during promotion (${weightText(weight)})`
}
