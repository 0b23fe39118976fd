import { ok, type Result } from '../../base/index.ts'
import { countsOf, type Counts } from '../../engine/canary/index.ts'
import type { Stores } from '../../engine/stores.ts'
import type { HostFact, OtherDeployment, ValidationFacts } from '../../engine/validation/index.ts'
import { deploymentPhases } from '../../contract/index.ts'
import type { OperatedService } from '../../engine/services/index.ts'

type FactStores = Pick<Stores, 'services' | 'deployments' | 'evidence'>

export interface FactSources {
  service: (name: string) => OperatedService | undefined
  stores: FactStores
  hosts: () => readonly HostFact[]
}

const ended: readonly string[] = ['promoted', 'rolled_back', 'failed']
const running = deploymentPhases.filter((phase) => !ended.includes(phase))
/** More of one service is a defect; one is enough to say no. */
const mostOpen = 10

/** What checks ask about, out of the store, the routers and what is known of the hosts. */
export function validationFacts({ service: find, stores, hosts }: FactSources): ValidationFacts {
  return {
    hosts,
    target: (service) => find(service)?.target ?? null,
    router: (service) => find(service)?.router ?? null,
    async openDeployments(service): Promise<Result<readonly OtherDeployment[]>> {
      const found = await stores.deployments.list({ service, phases: running, limit: mostOpen })
      return found.ok
        ? ok(
            found.value.map(({ id, candidateReleaseId, createdBy }) => ({
              id,
              candidateReleaseId,
              createdBy,
            })),
          )
        : found
    },
    async baseline(service): Promise<Result<Counts | null>> {
      const record = await stores.services.find(service)
      if (!record.ok) return record
      const stable = record.value?.stableReleaseId
      if (!stable) return ok(null)
      const now = await find(service)?.router.bins(service, null)
      const counts = now?.ok ? countsOf(now.value.bins, stable) : null
      return counts && counts.requests > 0 ? ok(counts) : whenPromoted(stores, service, stable)
    },
  }
}

/** The counts of a release from the deployment that made it stable; null when none are kept. */
async function whenPromoted(
  stores: FactStores,
  service: string,
  releaseId: string,
): Promise<Result<Counts | null>> {
  const promoted = await stores.deployments.list({
    service,
    releaseId,
    phases: ['promoted'],
    limit: mostOpen,
  })
  if (!promoted.ok) return promoted
  const newest = promoted.value.find(({ candidateReleaseId }) => candidateReleaseId === releaseId)
  if (!newest) return ok(null)
  const bins = await stores.evidence.binsOf(newest.id)
  if (!bins.ok) return bins
  const counts = countsOf(bins.value, releaseId)
  return ok(counts.requests > 0 ? counts : null)
}
