import type { AuditEntry } from '../model/deployments.ts'

type Told = Pick<AuditEntry, 'action' | 'details'>

/** Orders of the table, as what someone wanted. */
const orderWords: Readonly<Record<string, string>> = {
  'deployments.start': 'deploy a release',
  'deployments.pause': 'pause the deployment',
  'deployments.resume': 'resume the deployment',
  'deployments.skip': 'skip to the next step',
  'deployments.promote': 'promote the candidate',
  'deployments.abort': 'abort the deployment',
  'deployments.retry': 'retry the deployment',
  'deployments.undo': 'undo the promotion',
  'platform.stop': 'stop the embedded platform',
  'platform.upgrade': 'upgrade the embedded platform',
  'releases.create': 'add a release',
  'rollback.emergency': 'emergency rollback',
  'services.declare': 'declare the service',
  'services.remove': 'remove the service',
  'services.restart': 'restart instances',
  'services.resume': 'resume automation',
}

/** What was done, as a person says it; the action's own name where there are no words for it. */
export function auditText({ action, details }: Told): string {
  const named = (key: string) => (typeof details[key] === 'string' ? details[key] : '')
  const release = named('releaseId')
  const texts: Readonly<Record<string, string>> = {
    'audit.seal': 'started sealing the audit log with a new key',
    'config.change': 'changed the configuration',
    'config.refused': 'rejected a changed configuration',
    'deployments.request': `requested the deployment of ${release}`,
    'deployments.pause': release ? `paused the deployment of ${release}` : 'paused the deployment',
    'deployments.resume': 'resumed the deployment',
    'deployments.skip': 'skipped to the next step',
    'deployments.promote': 'promoted the candidate',
    'deployments.abort': 'aborted the deployment',
    'deployments.fail': `failed to deploy ${release}`,
    'deployments.rollback': `rolled ${release} back`,
    'deployments.shift': `moved traffic to ${release}`,
    'deployments.handOver': `moved all traffic to ${release}`,
    'orders.refused': `request refused: ${orderWords[named('order')] ?? named('order')}`,
    'platform.stop': `stopped the embedded platform${details['withInstances'] === true ? ' and its instances' : ''}`,
    'platform.upgrade': `upgraded the embedded platform from ${named('from')} to ${named('to')}`,
    'releases.add': `added the release ${release}`,
    'services.configure': 'changed the service in the configuration',
    'services.declare': 'declared the service',
    'services.remove': 'removed the service',
    'services.restart': 'restarted instances',
    'services.scale': 'changed the number of instances',
    'services.resume': 'resumed automation',
    'services.emergencyRollback':
      named('from') && named('to')
        ? `emergency rollback, ${named('from')} → ${named('to')}`
        : 'emergency rollback',
  }
  return texts[action]?.trim() ?? action
}
