import type { AuditEntry } from './deployments.ts'

type Told = Pick<AuditEntry, 'action' | 'details'>

/** What was done, as a person says it; the action's own name where there are no words for it. */
export function auditText({ action, details }: Told): string {
  const named = (key: string) => (typeof details[key] === 'string' ? details[key] : '')
  const release = named('releaseId')
  const texts: Readonly<Record<string, string>> = {
    'deployments.request': `asked to deploy ${release}`,
    'deployments.pause': release ? `paused the deployment of ${release}` : 'paused the deployment',
    'deployments.resume': 'let the deployment go on',
    'deployments.skip': 'skipped to the next step',
    'deployments.promote': 'promoted the candidate',
    'deployments.abort': 'took the candidate back',
    'deployments.rollback': `rolled ${release} back`,
    'deployments.shift': `moved traffic to ${release}`,
    'deployments.handOver': `gave all traffic to ${release}`,
    'platform.upgrade': `let the embedded platform ${named('to')} take over from ${named('from')}`,
    'releases.add': `added the release ${release}`,
    'services.declare': 'declared the service',
    'services.remove': 'removed the service',
    'services.resume': 'let automation go on',
    'services.emergencyRollback':
      named('from') && named('to')
        ? `emergency rollback, ${named('from')} → ${named('to')}`
        : 'emergency rollback',
  }
  return texts[action]?.trim() ?? action
}
