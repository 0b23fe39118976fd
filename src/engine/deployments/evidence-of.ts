import type { Result } from '../../base/index.ts'
import type { Bin } from '../../contract/index.ts'
import type { EvidenceStore } from '../canary/index.ts'
import type { DeploymentStore } from './ports.ts'

/** Counts of the newest deployments that a release took part in, newest first. */
export async function* evidenceOf(
  { deployments, evidence }: { deployments: DeploymentStore; evidence: EvidenceStore },
  service: string,
  releaseId: string,
): AsyncGenerator<Result<Bin[]>, void> {
  const found = await deployments.list({ service, releaseId, limit: 5 })
  if (!found.ok) {
    yield found
    return
  }
  for (const { id } of found.value) yield await evidence.binsOf(id)
}
