import type { Deployment } from '../../../contract/index.ts'
import type { Marker } from '../../charts/index.ts'
import { deploymentPath } from '../../routing/index.ts'
import { shownPhaseWords } from './phases.ts'

/** Begin and end of a deployment as moments worth seeing on every chart. */
export function deploymentMarkers(deployment: Deployment): Marker[] {
  const { service, candidateReleaseId, createdAtMs, endedAtMs } = deployment
  const link = deploymentPath(deployment.id)
  const { words, mark } = shownPhaseWords(deployment)
  return [
    {
      timeMs: createdAtMs,
      severity: 'info',
      text: `${service}: the deployment of ${candidateReleaseId} started`,
      isLine: true,
      label: candidateReleaseId,
      link,
    },
    ...(endedAtMs === null
      ? []
      : [
          {
            timeMs: endedAtMs,
            severity: mark === 'stale' ? ('info' as const) : mark,
            text: `${service}: ${candidateReleaseId} ${words}`,
            isLine: true,
            link,
          },
        ]),
  ]
}
