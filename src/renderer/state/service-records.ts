import {
  isFinal,
  recordsOf,
  type Deployment,
  type LiveRecords,
  type ServiceState,
} from '../../contract/index.ts'

export const hasEnded = ({ phase }: Pick<Deployment, 'phase'>): boolean => isFinal(phase)

/** How a service is, as far as a person must know: the first that holds of critical, warning, ok. */
export type ServiceSeverity = 'critical' | 'warning' | 'ok'

/** The worst of what concerns it, as of its last state. */
export const severityOf = ({ concerns }: ServiceState): ServiceSeverity => concerns[0]?.severity ?? 'ok'

const severityRank: Record<ServiceSeverity, number> = { critical: 0, warning: 1, ok: 2 }

/** Declared, but no release of it was ever stable or is on its way there. */
export const isNeverDeployed = ({
  stableReleaseId,
  candidateReleaseId,
  deploymentId,
}: ServiceState): boolean => stableReleaseId === null && candidateReleaseId === null && deploymentId === null

/** All services, worst first; among equals those being deployed first, then by name. Never deployed ones are last. */
export function servicesIn(records: Partial<LiveRecords>): ServiceState[] {
  const isCalm = ({ deploymentId }: ServiceState) => (deploymentId === null ? 1 : 0)
  return recordsOf(records, 'service').sort(
    (a, b) =>
      Number(isNeverDeployed(a)) - Number(isNeverDeployed(b)) ||
      severityRank[severityOf(a)] - severityRank[severityOf(b)] ||
      isCalm(a) - isCalm(b) ||
      a.name.localeCompare(b.name),
  )
}

/** All deployments of the records, newest first. */
export const deploymentsIn = (records: Partial<LiveRecords>): Deployment[] =>
  recordsOf(records, 'deployment').sort((a, b) => b.createdAtMs - a.createdAtMs)
