import { shownPhase, type Concern, type Deployment, type ServiceState } from '../../../contract/index.ts'

type Promoted = Pick<Deployment, 'phase' | 'isHandedOver' | 'candidateReleaseId' | 'service'>
type Service = Pick<ServiceState, 'name' | 'stableReleaseId' | 'concerns'>

/**
 * What is wrong now with the service whose stable release the deployment made: the worst of it; undefined while all is
 * well, and for a deployment whose release does not have the traffic any more.
 */
export function presentConcern(deployment: Promoted, service: Service | undefined): Concern | undefined {
  const isPresent =
    shownPhase(deployment) === 'promoted' && service?.stableReleaseId === deployment.candidateReleaseId
  // That automation is stopped says nothing of the release.
  return isPresent ? service.concerns.find(({ kind }) => kind !== 'automation-stopped') : undefined
}

/** The same for a list, newest first: of several deployments of one release, the newest made it stable. */
export function presentConcerns(
  deployments: readonly (Promoted & Pick<Deployment, 'id'>)[],
  services: readonly Service[],
): ReadonlyMap<string, Concern> {
  const concerns = new Map<string, Concern>()
  for (const service of services) {
    const newest = deployments.find(
      (each) => each.service === service.name && presentConcern(each, service) !== undefined,
    )
    const concern = newest && presentConcern(newest, service)
    if (concern) concerns.set(newest.id, concern)
  }
  return concerns
}
