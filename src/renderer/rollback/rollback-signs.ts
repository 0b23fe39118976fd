import type { Deployment, ServiceState } from '../../contract/index.ts'

/** By service, what only a rollback leaves in the records: automation stopped, a deployment on its way back. */
export function rollbackSigns(
  services: readonly ServiceState[],
  deployments: readonly Deployment[],
): ReadonlyMap<string, string> {
  const signs = new Map<string, string>()
  const add = (name: string, sign: string) => signs.set(name, `${signs.get(name) ?? ''} ${sign}`)
  for (const { name, automationStopped } of services)
    if (automationStopped) add(name, `stopped ${automationStopped.atMs}`)
  for (const { id, service, phase } of deployments)
    if (phase === 'rolling_back' || phase === 'rolled_back') add(service, `back ${id}`)
  return signs
}
