import { type Weights, ofRelease, weightOf } from '../../contract/index.ts'
import type { RouterReport, TargetReport } from '../platforms/index.ts'
import type { ServiceRecord } from './service-record.ts'
import { plannedWeight, type DeploymentState } from './state.ts'

/** The desired state of one service. It follows from the stored state alone. */
export interface DesiredState {
  weights: Weights
  fallbackReleaseId: string | null
  /** Desired number of instances by release. */
  running: Readonly<Record<string, number>>
  /** Releases that must have no instances. */
  gone: readonly string[]
  /** The cause, as the first part of the key of a change: `d1:return`. */
  cause: string
  /**
   * Release whose instances are requested again under this cause although they run, so that no earlier removal stops
   * them.
   */
  claimed?: string
}

/** One change to make. All are idempotent; a change that already holds is not made. */
export type Effect =
  | {
      kind: 'setWeights'
      weights: Weights
      fallbackReleaseId: string | null
      expectedRevision: number
      key: string
    }
  | { kind: 'ensure'; releaseId: string; instances: number; key: string }
  | { kind: 'remove'; releaseId: string; askedBy?: string; key: string }

/** Cause of a change that removes the candidate's traffic; recognized at the router after a restart. */
export const returnCause = (deploymentId: string): string => `${deploymentId}:return`

/** The desired state of a service without a deployment. Empty before its first release. */
export function restingState(record: ServiceRecord, gone: readonly string[] = []): DesiredState {
  const { stableReleaseId, instances, name, revision } = record
  return {
    weights: stableReleaseId === null ? {} : { [stableReleaseId]: 100 },
    fallbackReleaseId: stableReleaseId,
    running: stableReleaseId === null ? {} : { [stableReleaseId]: instances },
    gone: gone.filter((releaseId) => releaseId !== stableReleaseId),
    // A count that returns after a different one is a new change.
    cause: `${name}:rest:${revision}`,
  }
}

/**
 * The desired state while automation is stopped: the stable release keeps running, and traffic stays where the
 * emergency sent it. If the router has lost the emergency, the stable release gets all traffic again.
 */
export function stoppedState(record: ServiceRecord, router: RouterReport | null): DesiredState {
  const resting = restingState(record)
  const isHeld = router !== null && (router.emergency !== null || record.stableReleaseId === null)
  const hasTraffic = router !== null && Object.values(router.weights).some((weight) => weight > 0)
  return isHeld && hasTraffic
    ? { ...resting, weights: router.weights, fallbackReleaseId: router.fallbackReleaseId }
    : resting
}

/** The desired state during a deployment. */
export function desiredStateOf(
  state: DeploymentState,
  record: ServiceRecord,
  target: TargetReport | null,
): DesiredState {
  const { stage, candidateReleaseId: candidate, stableReleaseId: stable, plan, id } = state
  const stableRuns = stable === null ? {} : { [stable]: state.stableInstances }
  switch (stage.kind) {
    case 'queued':
    case 'validating':
    case 'telling':
    case 'promoted':
    case 'rolled_back':
    case 'failed':
      return restingState(record)
    case 'staging':
      return {
        weights: shares(stable, candidate, 0),
        fallbackReleaseId: stable,
        running: { ...stableRuns, ...startingCount(state, target) },
        gone: [],
        cause: `${id}:stage`,
        claimed: candidate,
      }
    case 'shifting':
    case 'holding':
    case 'raising':
    case 'handing_over':
    case 'warm':
      return {
        weights: shares(stable, candidate, desiredWeight(state)),
        fallbackReleaseId: fallbackOf(state),
        running: { ...stableRuns, [candidate]: plan.instances },
        gone: [],
        cause: `${id}:${stage.kind}`,
      }
    case 'retiring':
      return {
        weights: { [candidate]: 100 },
        fallbackReleaseId: candidate,
        running: { [candidate]: plan.instances },
        gone: stable === null ? [] : [stable],
        cause: `${id}:retire`,
      }
    case 'returning':
      return {
        weights: shares(stable, candidate, 0),
        fallbackReleaseId: stable,
        running: stableRuns,
        gone: [],
        cause: returnCause(id),
      }
    case 'stopping':
      return {
        weights: shares(stable, candidate, 0),
        fallbackReleaseId: stable,
        running: stableRuns,
        gone: [candidate],
        cause: returnCause(id),
      }
  }
}

/** The release that serves what the candidate cannot take; never one that an undo has left. */
function fallbackOf({
  isHandedOver,
  plan,
  candidateReleaseId,
  stableReleaseId,
}: DeploymentState): string | null {
  if (isHandedOver && plan.isUndo) return candidateReleaseId
  return stableReleaseId ?? (isHandedOver ? candidateReleaseId : null)
}

/** The candidate's desired share, percent. It stays as it is while a person, hooks or headroom are awaited. */
export function desiredWeight(state: DeploymentState): number {
  const { stage, pause, missingRoom } = state
  const isPaused = pause !== null && (stage.kind === 'shifting' || stage.kind === 'handing_over')
  const waits = isPaused || isHookOrGateDue(state) || missingRoom !== ''
  return waits ? state.weight : plannedWeight(state)
}

/**
 * The desired number of candidate instances. At most `startAtOnce` start at a time, and none before its hooks have
 * run, while it is paused, or without headroom. Instances already requested stay.
 */
function startingCount(
  { candidateReleaseId: name, plan, missingRoom, pendingHooks, pause }: DeploymentState,
  target: TargetReport | null,
): Record<string, number> {
  const asked = (target && ofRelease(target.wanted, name)) ?? 0
  const healthy = target ? healthyCount(name, target) : 0
  const isHeld = missingRoom !== '' || pendingHooks.length > 0 || pause !== null
  const more = isHeld ? 0 : healthy + plan.startAtOnce
  const count = Math.min(plan.instances, Math.max(asked, more))
  return count === 0 ? {} : { [name]: count }
}

export const healthyCount = (releaseId: string, { instances }: TargetReport): number =>
  instances.filter((instance) => instance.releaseId === releaseId && instance.state === 'healthy').length

/** Whether a step still waits for its hooks or its gate. */
export const isHookOrGateDue = ({ stage, pendingHooks, plan, openedGate }: DeploymentState): boolean =>
  stage.kind === 'shifting' &&
  (pendingHooks.length > 0 || (plan.steps[stage.step]?.gate === true && openedGate < stage.step))

function shares(stable: string | null, candidate: string, weight: number): Weights {
  const own: Weights = weight > 0 ? { [candidate]: weight } : {}
  if (stable === null || weight === 100) return own
  return { [stable]: 100 - weight, ...own }
}

/** Whether a router splits traffic as desired; a release that is not listed has 0. */
export const agrees = (weights: Weights, desired: Weights): boolean =>
  [...new Set([...Object.keys(weights), ...Object.keys(desired)])].every(
    (releaseId) => Math.abs(weightOf(weights, releaseId) - weightOf(desired, releaseId)) < 0.001,
  )

/**
 * The changes that are left to make. Instances start before they get traffic, and traffic leaves before instances
 * stop: a release is removed only after the router was seen to send it nothing and not to fall back to it.
 */
export function effectsToward(
  desired: DesiredState,
  router: RouterReport | null,
  target: TargetReport | null,
): Effect[] {
  const effects: Effect[] = []
  if (target) {
    for (const [releaseId, instances] of Object.entries(desired.running))
      if (ofRelease(target.wanted, releaseId) !== instances || isToClaim(desired, releaseId, target))
        effects.push({
          kind: 'ensure',
          releaseId,
          instances,
          key: `${desired.cause}:${releaseId}:${instances}`,
        })
  }
  if (router && !isRoutedAsDesired(desired, router))
    effects.push({
      kind: 'setWeights',
      weights: desired.weights,
      fallbackReleaseId: desired.fallbackReleaseId,
      expectedRevision: router.revision,
      key: `${desired.cause}:${router.revision}`,
    })
  if (target && router) {
    for (const releaseId of desired.gone) {
      const isUsed = weightOf(router.weights, releaseId) > 0 || router.fallbackReleaseId === releaseId
      const isWanted = ofRelease(target.wanted, releaseId) !== undefined
      if (!isUsed && isWanted) {
        const askedBy = ofRelease(target.askedBy ?? {}, releaseId)
        const key = `${desired.cause}:${releaseId}:0`
        effects.push({ kind: 'remove', releaseId, key, ...(askedBy === undefined ? {} : { askedBy }) })
      }
    }
  }
  return effects
}

/** Whether it runs for an earlier request, which a removal in flight may still target. */
export function isToClaim(
  { claimed, cause }: DesiredState,
  releaseId: string,
  { askedBy }: TargetReport,
): boolean {
  const by = ofRelease(askedBy ?? {}, releaseId)
  return releaseId === claimed && by !== undefined && !by.startsWith(`${cause}:`)
}

export const isRoutedAsDesired = (desired: DesiredState, router: RouterReport): boolean =>
  agrees(router.weights, desired.weights) && router.fallbackReleaseId === desired.fallbackReleaseId

/** Whether the release has instances, or should have. */
export const isGone = (releaseId: string, { wanted, instances }: TargetReport): boolean =>
  ofRelease(wanted, releaseId) === undefined &&
  instances.every((instance) => instance.releaseId !== releaseId || instance.state === 'down')
