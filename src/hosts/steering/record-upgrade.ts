import { engineActor } from '../../contract/index.ts'
import type { Clock, Log } from '../../engine/core/index.ts'
import { type DeploymentStore } from '../../engine/deployments/index.ts'
import type { EdgeUpgrade } from '../edge/index.ts'

/** The audit entry of an embedded platform that was replaced while it served. */
export async function recordUpgrade(
  { from, to }: EdgeUpgrade,
  { store, clock, log }: { store: DeploymentStore; clock: Clock; log: Log },
): Promise<void> {
  const details = { from: from.version, to: to.version, pidBefore: from.pid, pid: to.pid }
  log.info('a newer embedded platform has taken over', details)
  const stored = await store.commit({
    events: [],
    deployments: [],
    services: [],
    releases: [],
    evidence: [],
    audit: [
      {
        atMs: clock.nowMs(),
        actor: engineActor,
        action: 'platform.upgrade',
        target: 'edge',
        why: 'It was of an older version than the program.',
        details,
      },
    ],
  })
  if (!stored.ok) log.error('it could not be recorded', { failure: stored.error.message })
}
