import { roles, type Role } from '../model/principal.ts'

/** Every right, with the least role that has it. A procedure names the one right that it needs. */
export const rights = {
  /** Hosts, services, releases and deployments with their metrics. */
  'state.read': 'viewer',
  'config.read': 'viewer',
  /** What instances print. */
  'logs.read': 'viewer',
  /** Processes of a host with their command lines, and its connections. */
  'processes.read': 'viewer',
  'audit.read': 'viewer',
  /** Put on record that a person did not confirm an order. */
  'audit.note': 'viewer',
  'rollback.emergency': 'responder',
  'instances.restart': 'responder',
  /** Resume automation after an emergency rollback. */
  'automation.resume': 'responder',
  /** Plan a deployment and run its checks; nothing moves. */
  'deployments.plan': 'deployer',
  'deployments.write': 'deployer',
  'releases.write': 'deployer',
  'services.write': 'deployer',
} as const satisfies Record<string, Role>
export type Right = keyof typeof rights

export const mayDo = (role: Role, right: Right): boolean =>
  roles.indexOf(role) >= roles.indexOf(rights[right])
