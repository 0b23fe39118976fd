import { ok, type Result } from '../../base/index.ts'
import { countsOf, type Counts, type EvidenceStore } from '../canary/index.ts'
import type { OtherDeployment, ValidationFacts } from './ports.ts'
import { openPhases } from '../../contract/index.ts'
import type { Router, Target } from '../platforms/index.ts'
import type { DeploymentStore, ServiceStore } from '../deployments/index.ts'

interface FactStores {
  services: ServiceStore
  deployments: DeploymentStore
  evidence: EvidenceStore
}

export interface FactSources {
  /** Where a service runs and what routes it; undefined for one that is not operated. */
  service: (name: string) => { target: Target; router: Router } | undefined
  stores: FactStores
  hosts: ValidationFacts['hosts']
}

/** More of one service is a defect; one is enough to say no. */
const mostOpen = 10

/** What checks ask about, out of the store, the routers and what is known of the hosts. */
export function validationFacts({ service: find, stores, hosts }: FactSources): ValidationFacts {
  return {
    hosts,
    target: (service) => find(service)?.target ?? null,
    router: (service) => find(service)?.router ?? null,
    async openDeployments(service): Promise<Result<readonly OtherDeployment[]>> {
      const found = await stores.deployments.list({ service, phases: openPhases, limit: mostOpen })
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
