import { AppError } from '../../base/index.ts'
import { hostsWithState, notFoundText } from '../../contract/index.ts'
import type { LiveStore } from '../core/index.ts'
import { api, orThrow } from '../identity/index.ts'
import type { HostInspector, MetricSource, TelemetryStore } from '../telemetry/index.ts'
import type { HostRegistry } from './registry.ts'

export interface HostParts {
  hosts: HostRegistry
  live: LiveStore
  telemetry: TelemetryStore
}

/** Procedures on hosts: their state, their samples, and a look at their processes and connections. */
export function hostHandlers({ hosts, live, telemetry }: HostParts) {
  const sourceOf = (hostId: string): MetricSource => {
    const found = hosts.source(hostId)
    if (!found)
      throw new AppError('NOT_FOUND', notFoundText('host', hostId, hosts.ids), { details: { hostId } })
    return found
  }
  const inspectorOf = (hostId: string): HostInspector => {
    const { inspector } = sourceOf(hostId)
    if (!inspector)
      throw new AppError('UNSUPPORTED', `Processes and connections of "${hostId}" cannot be listed.`)
    return inspector
  }
  return {
    hosts: {
      list: api.hosts.list.handler(() =>
        hostsWithState(live.snapshot()).map(({ host, state }) => ({ ...host, ...state })),
      ),
      quality: api.hosts.quality.handler(({ input }) => hosts.seriesQuality(sourceOf(input.hostId).hostId)),
    },
    telemetry: {
      chart: api.telemetry.chart.handler(({ input }) => {
        sourceOf(input.hostId)
        if (input.toMs <= input.fromMs) {
          throw new AppError(
            'BAD_INPUT',
            'The range ends before it begins: toMs must be greater than fromMs.',
          )
        }
        return orThrow(telemetry.chart(input))
      }),
      trends: api.telemetry.trends.handler(({ input }) => {
        const { hostId } = sourceOf(input.hostId)
        return input.seriesIds.map((seriesId) => ({
          seriesId,
          trend: hosts.trend(hostId, seriesId, input.windowMs) ?? null,
        }))
      }),
    },
    processes: {
      top: api.processes.top.handler(({ input }) =>
        orThrow(inspectorOf(input.hostId).topProcesses(input.by, input.limit)),
      ),
      get: api.processes.get.handler(({ input }) => orThrow(inspectorOf(input.hostId).process(input.pid))),
    },
    connections: {
      count: api.connections.count.handler(({ input }) =>
        orThrow(inspectorOf(input.hostId).connectionCounts()),
      ),
    },
  }
}
