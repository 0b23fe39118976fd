import type { Deployment, DeploymentPhase } from '../../../contract/index.ts'
import type { MarkKind } from '../../components/index.ts'
import { duration } from '../../format/index.ts'

/** How a phase reads and which sign it has. */
export const phaseWords: Record<DeploymentPhase, { words: string; mark: MarkKind }> = {
  validating: { words: 'checking', mark: 'info' },
  staging: { words: 'starting', mark: 'info' },
  stepping: { words: 'in canary', mark: 'info' },
  paused: { words: 'paused', mark: 'warning' },
  promoting: { words: 'taking over', mark: 'ok' },
  promoted: { words: 'promoted', mark: 'ok' },
  rolling_back: { words: 'rolling back', mark: 'critical' },
  rolled_back: { words: 'rolled back', mark: 'critical' },
  failed: { words: 'not deployed', mark: 'critical' },
}

/** One stretch of the strip above a deployment. */
export interface StripPart {
  key: string
  title: string
  detail: string
  state: 'done' | 'now' | 'ahead' | 'undone' | 'broken'
}

/** Checks, each step, and the end, as a person follows them; `nowMs` is the engine's time. */
export function phaseStrip(deployment: Deployment, nowMs: number): StripPart[] {
  const { plan, validation, candidateReleaseId: name, stableReleaseId: stable } = deployment
  const at = placeOf(deployment)
  const hasGoneBack = at.isBroken && at.place > 0
  const state = (place: number): StripPart['state'] => {
    if (hasGoneBack && place > 0 && place < at.place) return stepTakenBack(deployment.reached, place - 1)
    if (place < at.place) return 'done'
    if (place > at.place) return 'ahead'
    return at.isBroken ? 'broken' : at.isOver ? 'done' : 'now'
  }
  const checks = validation
    ? [
        `${validation.passed} passed`,
        ...(validation.warnings > 0 ? [`${validation.warnings} with a warning`] : []),
        ...(validation.failed > 0 ? [`${validation.failed} failed`] : []),
      ].join(', ')
    : at.place === 0 && !at.isOver
      ? deployment.phase === 'staging'
        ? `${name} starts`
        : 'running'
      : 'none kept'
  const steps = plan.steps.map((step, index): StripPart => ({
    key: `step-${index}`,
    title: `${step.weight}\u00a0%`,
    detail:
      state(index + 1) === 'now' && deployment.stepStartedAtMs !== null && deployment.weight >= step.weight
        ? holdText(nowMs - deployment.stepStartedAtMs, step.holdMs)
        : [
            step.holdMs > 0 ? `holds ${duration(step.holdMs)}` : 'no hold',
            ...(step.gate ? ['waits for a person'] : []),
            ...(step.analysis ? [] : ['not judged']),
          ].join(', '),
    state: state(index + 1),
  }))
  return [
    { key: 'checks', title: 'Checks', detail: checks, state: state(0) },
    ...steps,
    {
      key: 'end',
      ...(hasGoneBack
        ? { title: '0\u00a0%', detail: `back to ${stable}` }
        : {
            title: '100\u00a0%',
            detail:
              stable === null ? 'first release' : `${stable} kept warm ${duration(plan.keepStableWarmMs)}`,
          }),
      state: state(plan.steps.length + 1),
    },
  ]
}

/** A step of what went back: passed, the one that it was taken back from, or never reached. Earlier versions kept none of it. */
function stepTakenBack(reached: Deployment['reached'], index: number): StripPart['state'] {
  if (reached === undefined) return 'undone'
  if (reached === null || index > reached.stepIndex) return 'ahead'
  return index < reached.stepIndex ? 'done' : 'broken'
}

/** `6:12 of 10:00`; a hold that is over says what it waits for. */
export function holdText(heldMs: number, holdMs: number): string {
  const held = Math.max(0, heldMs)
  return held < holdMs
    ? `${minutes(held)} of ${minutes(holdMs)}`
    : `held ${minutes(holdMs)}, waits for the judge`
}

function minutes(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Index into the strip: 0 the checks, then the steps, then the end. */
function placeOf(deployment: Deployment): { place: number; isBroken: boolean; isOver: boolean } {
  const { phase, stepIndex, plan, stepStartedAtMs } = deployment
  const last = plan.steps.length + 1
  const atStep = Math.min(last, stepIndex + 1)
  const at = (place: number, isBroken = false, isOver = false) => ({ place, isBroken, isOver })
  switch (phase) {
    case 'validating':
    case 'staging':
      return at(0)
    case 'stepping':
      return at(atStep)
    case 'paused':
      return at(stepStartedAtMs === null && stepIndex < plan.steps.length ? 0 : atStep)
    case 'promoting':
      return at(last)
    case 'promoted':
      return at(last, false, true)
    case 'rolling_back':
    case 'rolled_back':
      return at(last, true, true)
    case 'failed':
      return at(0, true, true)
  }
}
