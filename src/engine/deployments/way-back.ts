import { AppError } from '../../base/index.ts'
import { took, weightOf, weightText, type WayBack } from '../../contract/index.ts'
import { resumeCommand } from './commands.ts'
import type { RouterReport } from '../platforms/index.ts'
import type { StoredEvent } from './ports.ts'
import type { ServiceRecord } from './service-record.ts'
import { isGoingBack, isRetiring, type DeploymentState } from './state.ts'

/** The release that an undo brings back, and how long it took to start the last time, ms. */
export interface UndoWay {
  releaseId: string
  startMs: number | null
}

/** The facts that decide how a service can go back. */
export interface WayBackFacts {
  record: ServiceRecord
  /** Deployments that have not ended; the active one comes first. */
  open: readonly DeploymentState[]
  router: RouterReport | null
  undo: UndoWay | null
}

/**
 * How a service goes back now; null when it cannot. This is the only rule: what is offered and what is done both
 * follow it.
 */
export function wayBackOf(facts: WayBackFacts): WayBack | null {
  const { record, open, router, undo } = facts
  const shareOf = (releaseId: string, known: number) => (router ? weightOf(router.weights, releaseId) : known)
  const [active] = open
  // An undo already is a way back: it leaves the release that someone wants to be rid of.
  if (active && isUndoUnderWay(active)) return null
  if (active && mayHaveTraffic(active)) {
    const { candidateReleaseId: from, stableReleaseId: to, stage, id: deploymentId } = active
    const weight = shareOf(from, active.weight)
    if (to === null) return null
    return stage.kind === 'warm'
      ? {
          kind: 'warm',
          from,
          to,
          weight,
          deploymentId,
          text: `${from} is promoted and ${to} still runs: traffic returns at once`,
        }
      : {
          kind: 'shift',
          from,
          to,
          weight,
          deploymentId,
          text: `${from} has ${weightText(weight)} of traffic: all of it returns to ${to} at once`,
        }
  }
  const waiting = open.find((state) => !state.plan.isUndo && !isGoingBack(state) && !isRetiring(state))
  if (waiting) {
    const { candidateReleaseId: from, id: deploymentId } = waiting
    const text = `${from} has no traffic yet: its deployment stops`
    const to = record.stableReleaseId
    return { kind: 'stop', from, to, weight: shareOf(from, 0), deploymentId, text }
  }
  const isStopped = record.stableReleaseId !== null && record.automationStopped !== null
  const split =
    active || (record.stableReleaseId !== null && !isStopped) ? null : forgottenSplit(router, record)
  if (split) {
    const { from, to, weight } = split
    const text = `${from} has ${weightText(weight)} of traffic without a known deployment: all of it returns to ${to} at once`
    return { kind: 'shift', from, to, weight, deploymentId: null, text }
  }
  return undoOf(facts, undo)
}

/** The previous release has stopped and must start again, so this is no longer an emergency rollback. */
function undoOf({ record, open, router }: WayBackFacts, undo: UndoWay | null): WayBack | null {
  const { stableReleaseId: from, automationStopped } = record
  const isAtRest = open.every(isRetiring)
  if (!undo || !isAtRest || from === null || from === undo.releaseId) return null
  const { releaseId: to, startMs } = undo
  const time = startMs === null ? 'its start time is not known' : `about ${took(startMs)}`
  return {
    kind: 'undo',
    from,
    to,
    weight: router ? weightOf(router.weights, from) : 100,
    deploymentId: null,
    text: `${to} has stopped: an undo starts it first, ${time}${automationStopped ? ', and resumes automation' : ''}`,
    ...(automationStopped ? { resumesAutomation: true } : {}),
  }
}

/** Why an emergency rollback can do nothing, with the command that helps when there is one. */
export function noWayBack(name: string, facts: WayBackFacts): AppError {
  const { record, open } = facts
  const refuse = (text: string, nextCommand?: string) =>
    new AppError('CONFLICT', text, { details: nextCommand === undefined ? {} : { nextCommand } })
  const way = wayBackOf(facts)
  if (way?.kind === 'undo' && !record.automationStopped)
    return refuse(
      `${name} has no deployment to stop: ${way.from} is promoted and ${way.to} has stopped`,
      undoCommand(name),
    )
  const [active] = open
  if (active && isUndoUnderWay(active)) return refuse(...undoUnderWay(name, active))
  if (active && isGoingBack(active))
    return refuse(`${active.candidateReleaseId} of ${name} is already rolled back and has no traffic`)
  if (active && !isRetiring(active))
    return refuse(
      `${active.candidateReleaseId} is the first release of ${name}: there is no earlier release`,
      `pilothouse deployments abort ${active.id}`,
    )
  if (record.automationStopped)
    return refuse(
      `${name} was already rolled back by ${record.automationStopped.by.name}: ${trafficText(facts)}${way ? `. An undo goes further back, to ${way.to}, and resumes automation` : ''}`,
      way ? undoCommand(name) : resumeCommand(name),
    )
  return refuse(`${name} has no deployment to stop and no earlier release to return to`)
}

const undoCommand = (name: string): string => `pilothouse deployments undo ${name}`

/** Where the router sends requests, as far as it has answered. */
function trafficText({ record: { stableReleaseId }, router }: WayBackFacts): string {
  if (stableReleaseId === null) return 'it has no stable release'
  if (!router) return `the router has not answered whether ${stableReleaseId} has the traffic`
  const weight = weightOf(router.weights, stableReleaseId)
  return weight === 100
    ? `all traffic goes to ${stableReleaseId}`
    : `${stableReleaseId} has ${weightText(weight)} of traffic`
}

/** A release with traffic beside the one that should have all; null when the router does not split traffic. */
function forgottenSplit(
  router: RouterReport | null,
  { stableReleaseId }: ServiceRecord,
): { from: string; to: string; weight: number } | null {
  const to = stableReleaseId ?? router?.fallbackReleaseId ?? null
  if (!router || to === null) return null
  const [other] = Object.entries(router.weights)
    .filter(([releaseId, weight]) => releaseId !== to && weight > 0)
    .sort(([, a], [, b]) => b - a)
  const isSplit =
    stableReleaseId !== null || Object.values(router.weights).filter((weight) => weight > 0).length > 1
  return other && isSplit ? { from: other[0], to, weight: other[1] } : null
}

/** Whether it brings an earlier release back, or has just done so. */
const isUndoUnderWay = (state: DeploymentState): boolean =>
  state.plan.isUndo === true &&
  !isRetiring(state) &&
  (!isGoingBack(state) || state.stage.kind === 'returning')

/** Why an undo in progress refuses an emergency rollback, with the command that shows it. */
function undoUnderWay(name: string, undo: DeploymentState): [text: string, nextCommand?: string] {
  const { candidateReleaseId: to, stableReleaseId: from, id, isHandedOver } = undo
  if (isGoingBack(undo)) return [`The undo of ${name} was ended: traffic returns to ${from ?? 'no release'}`]
  if (isHandedOver)
    return [`${name} went back to ${to}: an emergency rollback does not return to ${from ?? 'no release'}`]
  return [
    `An undo of ${name} to ${to} is already in progress: ${to} gets all traffic as soon as it is healthy`,
    `pilothouse deployments show ${id}`,
  ]
}

/** Whether the router may send its candidate requests that another release could take. */
const mayHaveTraffic = (state: DeploymentState): boolean =>
  state.hasHadTraffic && !isRetiring(state) && (!isGoingBack(state) || state.stage.kind === 'returning')

/** How long the candidate's instances took until all were healthy, ms; null when they never were. */
export function startTimeMs(events: readonly StoredEvent[]): number | null {
  const begun = events.findIndex(({ event }) => event.kind === 'baselineCaptured')
  const healthy = events.findIndex(({ event }) => event.kind === 'candidateHealthy')
  if (begun < 0 || healthy < begun) return null
  return events.slice(begun + 1, healthy + 1).reduce((sum, { elapsedMs }) => sum + elapsedMs, 0)
}
