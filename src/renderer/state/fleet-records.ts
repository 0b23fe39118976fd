import type { Deployment, DeploymentPhase, LiveRecords, ServiceState } from '../../contract/index.ts'

/** Phases that nothing follows. */
const finalPhases: readonly DeploymentPhase[] = ['promoted', 'rolled_back', 'failed']

export const hasEnded = ({ phase }: Pick<Deployment, 'phase'>): boolean => finalPhases.includes(phase)

/** How a service is, as far as a person must know: the first that holds of critical, warning, ok. */
export type ServiceSeverity = 'critical' | 'warning' | 'ok'

/**
 * Critical: traffic has nowhere healthy to go. Warning: router or target in trouble, automation stopped by an
 * emergency, or an instance of a release with traffic not healthy.
 */
export function severityOf(service: ServiceState): ServiceSeverity {
  const withTraffic = Object.entries(service.weights).flatMap(([id, percent]) => (percent > 0 ? [id] : []))
  const hasHealthy = (releaseId: string) =>
    service.instances.some((instance) => instance.releaseId === releaseId && instance.state === 'healthy')
  if (withTraffic.some((releaseId) => !hasHealthy(releaseId))) return 'critical'
  const isHurt = service.instances.some(
    ({ releaseId, state }) => withTraffic.includes(releaseId) && (state === 'unhealthy' || state === 'down'),
  )
  return service.trouble !== '' || service.automationStopped || isHurt ? 'warning' : 'ok'
}

const severityRank: Record<ServiceSeverity, number> = { critical: 0, warning: 1, ok: 2 }

/** All services, worst first; among equals those being deployed first, then by name. */
export function servicesIn(records: Partial<LiveRecords>): ServiceState[] {
  const isCalm = ({ deploymentId }: ServiceState) => (deploymentId === null ? 1 : 0)
  return recordsOf<ServiceState>(records, 'service:').sort(
    (a, b) =>
      severityRank[severityOf(a)] - severityRank[severityOf(b)] ||
      isCalm(a) - isCalm(b) ||
      a.name.localeCompare(b.name),
  )
}

/** All deployments of the records, newest first. */
export const deploymentsIn = (records: Partial<LiveRecords>): Deployment[] =>
  recordsOf<Deployment>(records, 'deployment:').sort((a, b) => b.createdAtMs - a.createdAtMs)

function recordsOf<Value>(records: Partial<LiveRecords>, prefix: string): Value[] {
  return Object.entries(records).flatMap(([key, value]) => (key.startsWith(prefix) ? [value as Value] : []))
}
