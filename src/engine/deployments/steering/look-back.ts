import { ok, type Result } from '../../../base/index.ts'
import type { Deployment } from '../../../contract/index.ts'
import { within } from '../../core/index.ts'
import { releaseBefore, releaseLine, type LineDeployment } from '../release-line.ts'
import type { DeploymentState } from '../state.ts'
import { startTimeMs, type UndoWay } from '../way-back.ts'
import { answerWithinMs, type PipelineParts } from './parts.ts'

/** How many deployments to read for what can be undone, and for the last start of a release. */
const mostDeployments = 50

type Stored = Pick<PipelineParts, 'clock' | 'stores'>

/** The promotions of a service, from the store. */
export interface History {
  /** Newest first. */
  promoted: readonly Deployment[]
  /** See `releaseLine`. */
  line: readonly string[]
}

/** The history of `service`, with the promotion `current` that has not ended yet, if there is one. */
export async function historyOf(
  { clock, stores }: Stored,
  service: string,
  current: DeploymentState | null,
): Promise<Result<History>> {
  const found = await within(clock, answerWithinMs, 'the state database', () =>
    stores.deployments.list({ service, phases: ['promoted', 'rolled_back'], limit: mostDeployments }),
  )
  if (!found.ok) return found
  const line = releaseLine([...found.value.toReversed(), ...(current ? [asPromoted(current)] : [])])
  return ok({ promoted: found.value.filter(({ phase }) => phase === 'promoted'), line })
}

/**
 * The release that an undo of `service` brings back, from the store; null when there is none. `retiring` is the
 * promoted deployment whose old release is stopping, if there is one.
 */
export async function lookBack(
  parts: Stored,
  service: string,
  retiring: DeploymentState | null,
): Promise<Result<UndoWay | null>> {
  const { clock, stores } = parts
  const ask = <T>(call: () => Promise<Result<T>>) => within(clock, answerWithinMs, 'the state database', call)
  const history = await historyOf(parts, service, retiring)
  if (!history.ok) return history
  const { promoted, line } = history.value
  const releaseId = releaseBefore(line)
  if (releaseId === null) return ok(null)
  const release = await ask(() => stores.releases.find(service, releaseId))
  if (!release.ok) return release.error.code === 'NOT_FOUND' ? ok(null) : release
  const earlier = promoted.find(({ candidateReleaseId }) => candidateReleaseId === releaseId)
  if (!earlier) return ok({ releaseId, startMs: null })
  const events = await ask(() => stores.deployments.eventsOf(earlier.id))
  return events.ok ? ok({ releaseId, startMs: startTimeMs(events.value) }) : events
}

const asPromoted = (state: DeploymentState): LineDeployment => ({ ...state, phase: 'promoted' })
