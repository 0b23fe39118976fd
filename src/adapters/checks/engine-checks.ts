import {
  failedForNow,
  hasResourceLimits,
  judgeDataQuality,
  judgeExclusive,
  judgeHeadroom,
  type ValidationFacts,
} from '../../engine/validation/index.ts'
import type { Run } from './surroundings.ts'

/** Nobody else is deploying the service. */
export const exclusiveCheck =
  (facts: ValidationFacts): Run =>
  async ({ service, deploymentId }) => {
    const open = await facts.openDeployments(service)
    if (!open.ok) return failedForNow(`Open deployments cannot be read: ${open.error.message}`)
    return judgeExclusive(deploymentId, open.value)
  }

/** The hosts have room by the plan's limits and by their own. */
export const headroomCheck =
  (isWrittenCritical: boolean, facts: ValidationFacts): Run =>
  async ({ plan }) =>
    judgeHeadroom(facts.hosts(), plan.resources, isWrittenCritical || !hasResourceLimits(plan.resources))

/** There will be data to judge the candidate on. */
export const dataQualityCheck =
  (facts: ValidationFacts): Run =>
  async ({ service }) => {
    const router = facts.router(service)
    if (!router) return judgeDataQuality(facts.hosts(), 'no router is configured for the service.')
    const bins = await router.bins(service, null)
    const isKnown = bins.ok || bins.error.code === 'NOT_FOUND'
    return judgeDataQuality(facts.hosts(), isKnown ? '' : bins.error.message)
  }
