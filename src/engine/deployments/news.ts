import { type Deployment, weightText } from '../../contract/index.ts'
import { isGoingBack, type DeploymentState } from './state.ts'
import type { News } from '../journal/index.ts'

/** What was last reported about a deployment. */
export interface Told {
  phase: Deployment['phase']
  /** Weight of the candidate, verified at the router, percent. */
  weight: number
  isHandedOver: boolean
  /** Whether it was rolled back and its traffic has returned. */
  hasReturned: boolean
}

/** The facts to report about `deployment`; `state` is null when it has ended. */
export function toTell(deployment: Deployment, state: DeploymentState | null): Told {
  const { phase, isHandedOver, reached } = deployment
  const isBack = state === null ? phase === 'rolled_back' : state.stage.kind === 'stopping'
  const weight = state && !isGoingBack(state) ? state.weight : 0
  return { phase, weight, isHandedOver: isHandedOver === true, hasReturned: isBack && Boolean(reached) }
}

/**
 * The news of a deployment since `before`, which is undefined for one not seen before. A deployment that was promoted
 * long before the engine started is not news.
 */
export function deploymentNews(deployment: Deployment, before: Told | undefined, now: Told): News[] {
  const { id, service, candidateReleaseId: name, stableReleaseId: stable, phase, reason, plan } = deployment
  const link = `/deployments/${encodeURIComponent(id)}`
  const pause = `${link} pause`
  const news: News[] = []
  const say = (severity: News['severity'], text: string, episode?: News['episode']) =>
    news.push({ severity, text: `${service}: ${text}`, link, ...(episode ? { episode } : {}) })
  const isNewPhase = before?.phase !== phase
  const isTakenBack = ['rolling_back', 'rolled_back', 'failed'].includes(phase)

  if (before?.phase === 'paused' && isNewPhase && !isTakenBack)
    say('info', `deployment of ${name} resumed`, { key: pause, ending: 'resumed' })
  if (isNewPhase && phase === 'validating') say('info', `deployment of ${name} started`)
  if (before && now.weight > before.weight && !now.isHandedOver)
    say('info', `${name} gets ${weightText(now.weight)} of traffic`, {
      key: `${link} step`,
      ending: null,
    })
  if (before && !before.isHandedOver && now.isHandedOver)
    say('ok', `${name} is the stable release and has all traffic${plan.isUndo ? ' again' : ''}`)
  if (isNewPhase && phase === 'promoted' && stable !== null)
    say('info', `${stable} has stopped: the deployment of ${name} is complete`)
  if (isNewPhase && phase === 'paused')
    say('warning', `deployment of ${name} is paused: ${reason}`, { key: pause, ending: null })
  if (now.hasReturned && !before?.hasReturned)
    say(
      'warning',
      `${name} was rolled back${stable === null ? '' : `, ${stable} has all traffic`}: ${reason}`,
    )
  if (isNewPhase && phase === 'rolled_back' && !now.hasReturned)
    say('warning', `${name} was rolled back: ${reason}`)
  if (isNewPhase && phase === 'failed') say('warning', `${name} failed before it got traffic: ${reason}`)
  return news
}
