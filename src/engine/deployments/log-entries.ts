import { assertNever } from '../../base/index.ts'
import {
  type Actor,
  engineActor,
  skippedText,
  took,
  weightText,
  type LogEntry,
  type Validation,
} from '../../contract/index.ts'
import type { StoredEvent } from './ports.ts'
import type { DeploymentState } from './state.ts'
import { allInstancesAre, because, counted } from './wording.ts'

type Line = Pick<LogEntry, 'severity' | 'text'> & { actor?: Actor }

const info = (text: string, actor?: Actor): Line => ({ severity: 'info', text, ...(actor ? { actor } : {}) })
const good = (text: string): Line => ({ severity: 'ok', text })
const warning = (text: string, actor?: Actor): Line => ({
  severity: 'warning',
  text,
  ...(actor ? { actor } : {}),
})

/** The line of the decision log about an event; null for one that only keeps the clocks. */
export function logEntryFor(
  before: DeploymentState | null,
  after: DeploymentState,
  { event, atMs }: StoredEvent,
): LogEntry | null {
  const line = lineFor(before, after, event)
  return line && { atMs, actor: line.actor ?? engineActor, severity: line.severity, text: line.text }
}

function lineFor(
  before: DeploymentState | null,
  after: DeploymentState,
  event: StoredEvent['event'],
): Line | null {
  const { candidateReleaseId: candidate, plan } = after
  const stable = after.stableReleaseId ?? 'nothing'
  switch (event.kind) {
    case 'requested':
      return info(
        `${event.by.name} requested ${candidate}${event.stableReleaseId === null ? ' as the first release' : ` to replace ${event.stableReleaseId}`}${because(event.why)}`,
        event.by,
      )
    case 'begun':
      return info(
        `Checks of ${candidate} started; ${after.stableReleaseId === null ? 'it is the first release' : `${stable} is the stable release`}${plan.skipped ? `. ${skippedText(plan)}` : ''}`,
      )
    case 'validated':
      return event.validation.canDeploy
        ? foundBy(event.validation)
        : { severity: 'critical', text: failedRequired(event.validation) }
    case 'baselineCaptured':
      if (after.stableReleaseId === null) return null
      return info(
        event.baseline
          ? `Recorded a baseline for ${stable} from ${event.baseline.requests.toLocaleString('en-US')} requests`
          : `${stable} had no traffic for a baseline`,
      )
    case 'hookEnded':
      return event.isSuccess ? info(event.text) : warning(event.text)
    case 'candidateHealthy':
      return good(`${allInstancesAre(plan.instances, candidate)} healthy, no traffic yet`)
    case 'weightReached':
      return info(`The router sends ${candidate} ${weightText(event.weight)} of requests, verified`)
    case 'judged':
      return event.judgement.decision === before?.judgement?.decision
        ? null
        : {
            severity: {
              continue: 'info' as const,
              promote: 'ok' as const,
              inconclusive: 'warning' as const,
              rollback: 'critical' as const,
            }[event.judgement.decision],
            text: event.judgement.text,
          }
    case 'stepPassed':
      return before?.stage.kind === 'holding'
        ? good(`Step ${before.stage.step + 1} of ${plan.steps.length} passed`)
        : null
    case 'stepSkipped':
      return warning(`${event.by.name} skipped the rest of the step${because(event.why)}`, event.by)
    case 'paused':
      return warning(event.reason, event.by)
    case 'resumed':
      return info(`${event.by.name} resumed it${because(event.why)}`, event.by)
    case 'roomMissed':
      return warning(`Waiting for host resources: ${event.reason}`)
    case 'roomFound':
      return info('Host resources are available: continuing')
    case 'promotionDemanded':
      return warning(
        `${event.by.name} promoted ${candidate} without further steps${because(event.why)}`,
        event.by,
      )
    case 'candidateRaised':
      return info(`${allInstancesAre(plan.instances, candidate)} healthy: ready for all traffic`)
    case 'handedOver':
      return good(
        `${candidate} has all traffic and is the stable release now` +
          (after.stableReleaseId === null || plan.keepStableWarmMs === 0
            ? ''
            : `; ${stable} is kept warm for ${took(plan.keepStableWarmMs)}`),
      )
    case 'warmthEnded':
      if (after.stableReleaseId === null) return null
      return event.by === undefined || event.forReleaseId === undefined
        ? info(`${stable} is no longer needed and stops`)
        : warning(
            `${event.by.name} deployed ${event.forReleaseId}: ${stable} is no longer kept warm and stops; returning to it takes an undo`,
            event.by,
          )
    case 'oldStopped':
      return good(
        after.stableReleaseId === null
          ? `${candidate} is promoted`
          : `${stable} has stopped: ${candidate} is promoted`,
      )
    case 'rollbackStarted':
      return {
        severity: 'critical',
        actor: event.by,
        text: `${event.isEmergency ? 'Emergency rollback' : 'Rolling back'}${after.stableReleaseId === null ? `, and ${candidate} stops` : ` to ${stable}`}: ${event.reason}`,
      }
    case 'trafficReturned':
      return good(`${candidate} has 0% of traffic, verified`)
    case 'failureExplained': {
      const [first] = event.failure.instances
      return first ? warning(`${first.id}: ${first.reason}`) : null
    }
    case 'candidateStopped':
      return before?.stage.kind === 'telling' ? null : info(`${candidate} has stopped`)
    case 'noted':
      return { severity: event.severity, text: event.text }
    case 'watched':
      return null
    default:
      return assertNever(event)
  }
}

/** The required checks that failed; failed optional ones are counted. */
function failedRequired({ results, failed }: Validation): string {
  const names = results
    .filter(({ critical, outcome }) => critical && outcome === 'failed')
    .map(({ name }) => name)
  const optional = failed - names.length
  if (names.length === 0) return `${counted(failed, 'check')} failed`
  return `${names.length === 1 ? 'A required check' : `${names.length} required checks`} failed: ${names.join(', ')}${optional > 0 ? `; ${counted(optional, 'optional check')} failed too` : ''}`
}

/** The checks of a release that may continue. The ones that failed are optional. */
function foundBy({ results, passed, warnings, failed }: Validation): Line {
  const names = results.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
  const named = names.length > 0 ? `: ${names.join(', ')}` : ''
  const rest = [
    ...(warnings > 0 ? [`${warnings} with a warning`] : []),
    ...(failed > 0 ? [`${failed} failed${named} (optional)`] : []),
  ]
  const text = [`${counted(passed, 'check')} passed`, ...rest].join(', ')
  return rest.length > 0 ? warning(text) : good(text)
}
