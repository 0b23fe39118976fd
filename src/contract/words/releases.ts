import type { Deployment } from '../model/deployments.ts'

/** What a deployment changes: `r41 → r42`, or `r1 (first release)`. */
export const releaseChange = ({
  stableReleaseId,
  candidateReleaseId,
}: Pick<Deployment, 'stableReleaseId' | 'candidateReleaseId'>): string =>
  stableReleaseId === null
    ? `${candidateReleaseId} (first release)`
    : `${stableReleaseId} → ${candidateReleaseId}`
