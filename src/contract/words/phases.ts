import type { Deployment, DeploymentPhase } from '../model/deployments.ts'
import { stopwatch } from './time.ts'

/** What each phase of a deployment is called wherever a person reads it. */
export const phaseNames: Readonly<Record<DeploymentPhase, string>> = {
  validating: 'validating',
  staging: 'starting',
  stepping: 'in canary',
  paused: 'paused',
  promoting: 'promoting',
  promoted: 'promoted',
  rolling_back: 'rolling back',
  rolled_back: 'rolled back',
  failed: 'failed',
}

type PhaseFacts = Pick<Deployment, 'phase' | 'isHandedOver' | 'plan' | 'stableReleaseId' | 'keptWarmUntilMs'>

/** The phase that a person reads: a candidate that has all traffic is promoted, also while the old release is kept warm. */
export const shownPhase = ({
  phase,
  isHandedOver,
}: Pick<PhaseFacts, 'phase' | 'isHandedOver'>): DeploymentPhase =>
  phase === 'promoting' && isHandedOver ? 'promoted' : phase

/** What the phase of a deployment is called: an undo has no canary. */
export const shownPhaseName = (deployment: Pick<PhaseFacts, 'phase' | 'isHandedOver' | 'plan'>): string =>
  deployment.phase === 'stepping' && deployment.plan.isUndo ? 'undoing' : phaseNames[shownPhase(deployment)]

/** `in canary`; `promoted; r42 kept warm, 8:12 left` while traffic can return to the old release at once. */
export function phaseText(deployment: PhaseFacts, nowMs: number): string {
  const warm = keptWarmText(deployment, nowMs)
  return `${shownPhaseName(deployment)}${warm === '' ? '' : `; ${warm}`}`
}

/** `r42 kept warm, 8:12 left`; empty where no old release is kept. */
export const keptWarmText = (
  { stableReleaseId, keptWarmUntilMs }: Pick<PhaseFacts, 'stableReleaseId' | 'keptWarmUntilMs'>,
  nowMs: number,
): string =>
  typeof keptWarmUntilMs === 'number' && stableReleaseId !== null
    ? `${stableReleaseId} kept warm, ${stopwatch(keptWarmUntilMs - nowMs)} left`
    : ''
