import {
  keptWarmText,
  phaseNames,
  shownPhase,
  shownPhaseName,
  weightText,
  type Deployment,
  type DeploymentPhase,
  type PauseCause,
  type Plan,
} from '../../../contract/index.ts'
import type { MarkKind } from '../../components/index.ts'
import { duration, stopwatch } from '../../format/index.ts'

/** How a phase reads and which sign it has. */
export const phaseWords: Record<DeploymentPhase, { words: string; mark: MarkKind }> = {
  validating: { words: phaseNames.validating, mark: 'info' },
  staging: { words: phaseNames.staging, mark: 'info' },
  stepping: { words: phaseNames.stepping, mark: 'info' },
  paused: { words: phaseNames.paused, mark: 'warning' },
  promoting: { words: phaseNames.promoting, mark: 'ok' },
  promoted: { words: phaseNames.promoted, mark: 'ok' },
  rolling_back: { words: phaseNames.rolling_back, mark: 'critical' },
  rolled_back: { words: phaseNames.rolled_back, mark: 'critical' },
  failed: { words: phaseNames.failed, mark: 'critical' },
}

/** The same of a deployment as it stands. */
export const shownPhaseWords = (
  deployment: Pick<Deployment, 'phase' | 'isHandedOver' | 'plan'>,
): { words: string; mark: MarkKind } => ({
  mark: phaseWords[shownPhase(deployment)].mark,
  words: shownPhaseName(deployment),
})

/** What a person may do about a pause: a whole sentence for each cause. */
export const pauseAdvice: Record<PauseCause, string> = {
  gate: 'Waiting for approval. A candidate with traffic is still judged.',
  person: 'The deployment continues from here when someone resumes it.',
  inconclusive: 'Resume to hold and judge this step again, promote if you know better, or roll back.',
  failure: 'The candidate was judged worse. Roll back, or resume to hold and judge this step again.',
  hook: 'A hook failed. Fix the cause and resume, or roll back.',
}

/** It stands before a step that a person has to begin. */
export const isAtGate = ({ phase, pauseCause }: Pick<Deployment, 'phase' | 'pauseCause'>): boolean =>
  phase === 'paused' && pauseCause === 'gate'

/** One stretch of the strip above a deployment. */
export interface StripPart {
  key: string
  title: string
  detail: string
  state: 'done' | 'skipped' | 'now' | 'ahead' | 'undone' | 'broken'
}

/** Checks, start, each step, and the end, as a person follows them; `nowMs` is the engine's time. */
export function phaseStrip(deployment: Deployment, nowMs: number): StripPart[] {
  const { plan, candidateReleaseId: name } = deployment
  const at = placeOf(deployment)
  const steps = stepsOf(plan)
  const end = steps.length + firstStep
  const hasGoneBack = at.isBroken && at.place === end
  const state = (place: number): StripPart['state'] => {
    if (hasGoneBack && place >= firstStep && place < end)
      return stepTakenBack(deployment.reached, place - firstStep)
    // Without any traffic, nothing tells whether it had become healthy.
    if (hasGoneBack && place === 1 && deployment.reached === null) return 'undone'
    if (place < at.place) return 'done'
    if (place > at.place) return 'ahead'
    return at.isBroken ? 'broken' : at.isOver ? 'done' : 'now'
  }
  const parts = steps.map((step, index): StripPart => {
    const at = state(firstStep + index)
    const isSkipped = at === 'done' && deployment.skippedSteps?.includes(index) === true
    return {
      key: `step-${index}`,
      title: weightText(step.weight),
      detail: isSkipped ? 'skipped' : at === 'now' ? presentStep(deployment, step, nowMs) : plannedStep(step),
      state: isSkipped ? 'skipped' : at,
    }
  })
  return [
    { key: 'checks', title: 'Checks', detail: checksText(deployment, state(0)), state: state(0) },
    {
      key: 'start',
      title: 'Start',
      detail:
        state(1) === 'broken'
          ? `${name} did not become healthy`
          : plan.instances === 1
            ? '1 instance'
            : `${plan.instances} instances`,
      state: state(1),
    },
    ...parts,
    endPart(deployment, hasGoneBack, state(end), nowMs),
  ]
}

/** The steps that happen: a first release goes from its start to all traffic. */
const stepsOf = ({ steps, skipped }: Plan): Plan['steps'] => (skipped ? [] : steps)

/** A step of what went back: passed, the one that it was taken back from, or never reached. Earlier versions kept none of it. */
function stepTakenBack(reached: Deployment['reached'], index: number): StripPart['state'] {
  if (reached === undefined) return 'undone'
  if (reached === null || index > reached.stepIndex) return 'ahead'
  return index < reached.stepIndex ? 'done' : 'broken'
}

function checksText({ validation }: Deployment, state: StripPart['state']): string {
  if (!validation) return state === 'now' ? 'running' : 'no results'
  return [
    `${validation.passed} passed`,
    ...(validation.warnings > 0 ? [`${validation.warnings} with a warning`] : []),
    ...(validation.failed > 0 ? [`${validation.failed} failed`] : []),
  ].join(', ')
}

type Step = Plan['steps'][number]

function plannedStep({ holdMs, gate, analysis }: Step): string {
  return [
    holdMs > 0 ? `holds ${duration(holdMs)}` : 'no hold',
    ...(gate ? ['waits for approval'] : []),
    ...(analysis ? [] : ['not judged']),
  ].join(', ')
}

function presentStep(deployment: Deployment, step: Step, nowMs: number): string {
  const { phase, weight, stepStartedAtMs } = deployment
  if (isAtGate(deployment)) return 'waits for approval'
  if (phase === 'paused') return 'paused'
  // The hold starts once the step has its traffic.
  return stepStartedAtMs === null || weight < step.weight
    ? plannedStep(step)
    : holdText(nowMs - stepStartedAtMs, step.holdMs)
}

function endPart(
  deployment: Deployment,
  hasGoneBack: boolean,
  state: StripPart['state'],
  nowMs: number,
): StripPart {
  const { phase, plan, stableReleaseId: stable } = deployment
  if (hasGoneBack)
    return {
      key: 'end',
      title: weightText(0),
      detail:
        stable === null
          ? 'no earlier release'
          : phase === 'rolling_back'
            ? `returning to ${stable}`
            : `back to ${stable}`,
      state,
    }
  return {
    key: 'end',
    title: weightText(100),
    detail:
      stable === null
        ? 'first release'
        : keptWarmText(deployment, nowMs) || `${stable} kept warm ${duration(plan.keepStableWarmMs)}`,
    state,
  }
}

/** `6:12 of 10:00`; a hold that is over says what it waits for. */
function holdText(heldMs: number, holdMs: number): string {
  return heldMs < holdMs
    ? `${stopwatch(heldMs)} of ${stopwatch(holdMs)}`
    : `held ${stopwatch(holdMs)}, waiting for judgment`
}

/** Before the steps, the strip has the checks and the start. */
const firstStep = 2

/** Index into the strip: 0 the checks, 1 the start, then the steps, then the end. */
function placeOf(deployment: Deployment): { place: number; isBroken: boolean; isOver: boolean } {
  const { phase, stepIndex, plan, stepStartedAtMs, validation } = deployment
  const end = stepsOf(plan).length + firstStep
  const atStep = Math.min(end, stepIndex + firstStep)
  const atStart = validation?.canDeploy ? 1 : 0
  const at = (place: number, isBroken = false, isOver = false) => ({ place, isBroken, isOver })
  switch (phase) {
    case 'validating':
      return at(0)
    case 'staging':
      return at(1)
    case 'stepping':
      return at(atStep)
    case 'paused':
      return at(stepStartedAtMs === null && stepIndex < plan.steps.length ? atStart : atStep)
    case 'promoting':
      return at(end)
    case 'promoted':
      return at(end, false, true)
    case 'rolling_back':
    case 'rolled_back':
      return at(end, true, true)
    case 'failed':
      return at(atStart, true, true)
  }
}
