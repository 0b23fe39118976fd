import type { ServiceState } from '../../contract/index.ts'

/** A service that an emergency rollback would change, and how. */
export interface RollbackTarget {
  service: string
  from: string
  to: string
  /** Of the candidate now, percent, as the router says. */
  weight: number
  isProduction: boolean
}

/** What can be rolled back: services with a candidate and a stable release to go back to; most traffic first. */
export function rollbackTargets(services: readonly ServiceState[]): RollbackTarget[] {
  return services
    .flatMap(({ name, environment, stableReleaseId, candidateReleaseId, weights }) =>
      stableReleaseId !== null && candidateReleaseId !== null && stableReleaseId !== candidateReleaseId
        ? [
            {
              service: name,
              from: candidateReleaseId,
              to: stableReleaseId,
              weight: weights[candidateReleaseId] ?? 0,
              isProduction: environment === 'production',
            },
          ]
        : [],
    )
    .sort((a, b) => b.weight - a.weight || a.service.localeCompare(b.service))
}

export const allWord = 'ALL'

/** The word that must be typed before these may be rolled back; null when a hold is enough. */
export function wordToType(targets: readonly RollbackTarget[], isAll: boolean): string | null {
  if (!targets.some(({ isProduction }) => isProduction)) return null
  return isAll ? allWord : (targets[0]?.service ?? null)
}
