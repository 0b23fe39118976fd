import type { HookContext } from '../../engine/deployments/index.ts'

/** What a script learns of the deployment, in its environment. What there is none of is an empty text. */
export const environmentOf = (context: HookContext): Record<string, string> => ({
  PILOTHOUSE_HOOK_KEY: context.key,
  PILOTHOUSE_DEPLOYMENT: context.deploymentId,
  PILOTHOUSE_SERVICE: context.service,
  PILOTHOUSE_RELEASE: context.candidateReleaseId,
  PILOTHOUSE_STABLE_RELEASE: context.stableReleaseId ?? '',
  PILOTHOUSE_PHASE: context.phase,
  PILOTHOUSE_WHEN: context.when,
  PILOTHOUSE_STEP: context.stepIndex === null ? '' : String(context.stepIndex),
  PILOTHOUSE_WEIGHT: String(context.weight),
})
