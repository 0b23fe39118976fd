import type { Router } from '@orpc/server'
import { AppError } from '../../base/index.ts'
import {
  hostsWithState,
  type ConfigEntries,
  type contract,
  type SeriesQuality,
  type Trend,
} from '../../contract/index.ts'
import { type LiveStore } from '../core/index.ts'
import type { Operations } from '../operations/index.ts'
import type { MetricSource, TelemetryStore } from '../telemetry/index.ts'
import { api, type CallContext } from './api.ts'
import { operationHandlers } from './operation-handlers.ts'
import { orThrow } from './or-throw.ts'
import { heedingRefusals } from './refused.ts'

export type ApiRouter = Router<typeof contract, CallContext>

export interface ApiParts {
  live: LiveStore
  telemetry: TelemetryStore
  /** Undefined when no such host exists. */
  source: (hostId: string) => MetricSource | undefined
  quality: (hostId: string) => SeriesQuality[]
  /** Undefined where there is too little to say, or no such series. */
  trend: (hostId: string, seriesId: number, windowMs: number) => Trend | undefined
  config: () => ConfigEntries
  operations: Operations
}

/** The implementation of every procedure of the contract. Failures are thrown as AppError; transports translate. */
export function createRouter(parts: ApiParts): ApiRouter {
  const { live, telemetry, source, quality, trend, config, operations } = parts
  const sourceOrThrow = (hostId: string): MetricSource => {
    const found = source(hostId)
    if (!found) throw new AppError('NOT_FOUND', `There is no host "${hostId}".`, { details: { hostId } })
    return found
  }

  return heedingRefusals((refusal) => operations.noteRefusal(refusal)).router({
    ...operationHandlers(operations),
    hosts: {
      list: api.hosts.list.handler(() =>
        hostsWithState(live.snapshot()).map(({ host, state }) => ({ ...host, ...state })),
      ),
      quality: api.hosts.quality.handler(({ input }) => quality(sourceOrThrow(input.hostId).hostId)),
    },
    config: { show: api.config.show.handler(() => config()) },
    telemetry: {
      chart: api.telemetry.chart.handler(({ input }) => {
        sourceOrThrow(input.hostId)
        if (input.toMs <= input.fromMs) {
          throw new AppError(
            'BAD_INPUT',
            'The range ends before it begins: toMs must be greater than fromMs.',
          )
        }
        return orThrow(telemetry.chart(input))
      }),
      trends: api.telemetry.trends.handler(({ input }) => {
        const { hostId } = sourceOrThrow(input.hostId)
        return input.seriesIds.map((seriesId) => ({
          seriesId,
          trend: trend(hostId, seriesId, input.windowMs) ?? null,
        }))
      }),
    },
    processes: {
      top: api.processes.top.handler(({ input }) =>
        orThrow(sourceOrThrow(input.hostId).topProcesses(input.by, input.limit)),
      ),
      get: api.processes.get.handler(({ input }) => orThrow(sourceOrThrow(input.hostId).process(input.pid))),
    },
    connections: {
      count: api.connections.count.handler(({ input }) =>
        orThrow(sourceOrThrow(input.hostId).connectionCounts()),
      ),
    },
  })
}
