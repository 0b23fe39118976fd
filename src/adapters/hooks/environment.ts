import { releaseEnvironment, type Release } from '../../contract/index.ts'
import type { HookContext } from '../../engine/deployments/index.ts'

/** The environment of a script: that of the release, and what the deployment is at; what is not set is an empty text. */
export const environmentOf = (context: HookContext, release: Release | null): Record<string, string> => ({
  ...releaseEnvironment(process.env, release, {
    service: context.service,
    releaseId: context.candidateReleaseId,
    instanceId: '',
  }),
  PILOTHOUSE_HOOK_KEY: context.key,
  PILOTHOUSE_DEPLOYMENT: context.deploymentId,
  PILOTHOUSE_STABLE_RELEASE: context.stableReleaseId ?? '',
  PILOTHOUSE_PHASE: context.phase,
  PILOTHOUSE_WHEN: context.when,
  PILOTHOUSE_STEP: context.stepIndex === null ? '' : String(context.stepIndex),
  PILOTHOUSE_ENDING: context.ending ?? '',
  PILOTHOUSE_WEIGHT: String(context.weight),
})
