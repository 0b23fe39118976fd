import { deploymentPhases, nameSchema, type DeploymentPhase } from '../../../contract/index.ts'

/** What the address says of the history's filters; what makes no sense there is left out. */
export interface HistoryFilter {
  service?: string
  phases?: DeploymentPhase[]
  text?: string
}

export function historyFilter(query: URLSearchParams): HistoryFilter {
  const service = query.get('service') ?? ''
  const phase = deploymentPhases.find((name) => name === query.get('phase'))
  const text = (query.get('q') ?? '').trim().slice(0, 200)
  return {
    ...(nameSchema.safeParse(service).success ? { service } : {}),
    ...(phase ? { phases: [phase] } : {}),
    ...(text ? { text } : {}),
  }
}
