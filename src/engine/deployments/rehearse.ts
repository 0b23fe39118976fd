import { ok, type Clock, type Result } from '../../base/index.ts'
import type { Plan, PlanOptions, Validation } from '../../contract/index.ts'
import type { DeploymentController } from './steering/deployment-controller.ts'
import type { SteeringStores, Validator } from './ports.ts'
import { shownPlan } from './shown.ts'

export interface RehearsalParts {
  clock: Clock
  stores: Pick<SteeringStores, 'releases'>
  validator: Validator
  controller: Pick<DeploymentController, 'plan'>
}

export interface Rehearsal {
  plan: Plan
  stableReleaseId: string | null
  validation: Validation
}

const limitMs = 300_000

/** A dry run: the plan and the results of the checks. Nothing moves and nothing is stored. */
export async function rehearse(
  { clock, stores, validator, controller }: RehearsalParts,
  request: {
    service: string
    releaseId: string
    /** Options of the environment, then of the service, then of this deployment. */
    options: readonly PlanOptions[]
    stableReleaseId: string | null
    /** The deployment that would be superseded; null for none. */
    supersedes: string | null
  },
): Promise<Result<Rehearsal>> {
  const { service, releaseId, options, stableReleaseId, supersedes } = request
  const plan = await controller.plan(service, options)
  if (!plan.ok) return plan
  const release = await stores.releases.find(service, releaseId)
  if (!release.ok) return release
  const deadline = new AbortController()
  using _timer = clock.after(limitMs, () => deadline.abort())
  const validation = await validator.validate(
    { deploymentId: supersedes ?? '', service, release: release.value, stableReleaseId, plan: plan.value },
    deadline.signal,
  )
  return validation.ok
    ? ok({ plan: shownPlan(plan.value), stableReleaseId, validation: validation.value })
    : validation
}
