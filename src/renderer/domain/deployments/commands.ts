import {
  endsWarmText,
  weightText,
  type Deployment,
  type DeploymentCommand,
  type ServiceState,
} from '../../../contract/index.ts'
import { hasEnded } from '../../state/service-records.ts'
import { isAtGate } from './phases.ts'

/** The key of each on the screen of a deployment. */
export const commandKeys: Readonly<Record<DeploymentCommand, string>> = {
  pause: 'p',
  resume: 'r',
  skip: 's',
  promote: 'm',
  abort: 'b',
  retry: 'y',
  undo: 'z',
}

/** Something a person may do to a deployment now, with its effect in words before any click. */
export interface Offer {
  command: DeploymentCommand
  /** On the button: what and to which release. */
  label: string
  /** Target and effect: whole sentences. */
  effect: string
  /** Asks once more, with the effect in view. */
  isDangerous: boolean
}

const resumes = 'Automation, which is stopped after an emergency rollback, resumes.'

/** What can be done to the deployment as it stands; the way back always comes last. */
export function offersFor(
  deployment: Deployment,
  of?: Pick<ServiceState, 'automationStopped' | 'wayBack'>,
): Offer[] {
  const { phase, service, candidateReleaseId: name, plan, stepIndex } = deployment
  const stable = deployment.stableReleaseId
  if (hasEnded(deployment)) {
    const warm = endsWarmText(of?.wayBack)
    return [
      {
        command: 'retry',
        label: `Deploy ${name} again…`,
        effect: `${service}: deploys ${name} again with the same plan, starting with its checks.${warm === '' ? '' : ` ${warm}.`}`,
        isDangerous: true,
      },
      // What an undo has left is no way back.
      ...(phase === 'promoted' && stable !== null && !plan.isUndo
        ? [
            {
              command: 'undo' as const,
              label: `Undo: return to ${stable}…`,
              effect: `${service}: starts ${stable}. Once it is healthy, it gets all traffic from ${name}.${of?.automationStopped ? ` ${resumes}` : ''}`,
              isDangerous: true,
            },
          ]
        : []),
    ]
  }
  if (phase === 'rolling_back') return []
  const next = plan.steps[stepIndex + 1]
  return [
    phase === 'paused'
      ? resumeOffer(deployment)
      : {
          command: 'pause',
          label: 'Pause',
          effect: `${service}: ${name} stays at ${weightText(deployment.weight)} until someone resumes it.`,
          isDangerous: false,
        },
    // Of the last step, skipping the rest would be promotion by another name.
    ...(deployment.stepStartedAtMs !== null && next && !isAtGate(deployment)
      ? [
          {
            command: 'skip' as const,
            label: `Skip to ${weightText(next.weight)}…`,
            effect: `${service}: ends the ${weightText(deployment.weight)} step early; ${name} gets ${weightText(next.weight)} of traffic now.`,
            isDangerous: true,
          },
        ]
      : []),
    ...(phase === 'promoting'
      ? []
      : [
          {
            command: 'promote' as const,
            label: `Promote ${name}…`,
            effect: `${service}: ${name} gets all traffic${stable === null ? '' : ` from ${stable}`} without further steps or judgment.`,
            isDangerous: true,
          },
        ]),
    {
      command: 'abort',
      label: stable === null ? `Stop ${name}…` : `Roll back to ${stable}…`,
      effect: `${service}: ${stable === null ? '' : `all traffic of ${name} (${weightText(deployment.weight)} now) returns to ${stable} at once, and `}${name} stops.`,
      isDangerous: true,
    },
  ]
}

/** What ends a pause does differs with what it was for. */
function resumeOffer(deployment: Deployment): Offer {
  const { service, candidateReleaseId: name, weight, plan, stepIndex, pauseCause } = deployment
  if (isAtGate(deployment)) {
    const to = plan.steps[stepIndex]?.weight ?? 100
    return {
      command: 'resume',
      label: `Continue to ${weightText(to)}…`,
      effect: `${service}: approves the next step; ${name} goes from ${weightText(weight)} to ${weightText(to)} of traffic.`,
      isDangerous: true,
    }
  }
  const isJudgedAgain = pauseCause === 'inconclusive' || pauseCause === 'failure'
  return {
    command: 'resume',
    label: 'Resume',
    effect: isJudgedAgain
      ? `${service}: ${name} stays at ${weightText(weight)}; the step is held and judged again.`
      : `${service}: ${name} continues from ${weightText(weight)}.`,
    isDangerous: false,
  }
}
