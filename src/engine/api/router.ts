import type { Router } from '@orpc/server'
import type { ConfigEntries, contract } from '../../contract/index.ts'
import type { LiveStore } from '../core/index.ts'
import { hostHandlers, type HostRegistry } from '../hosts/index.ts'
import { api, type CallContext } from '../identity/index.ts'
import type { Operations } from '../operations/index.ts'
import type { TelemetryStore } from '../telemetry/index.ts'
import { operationHandlers } from './operation-handlers.ts'
import { heedingRefusals } from './refused.ts'

export type ApiRouter = Router<typeof contract, CallContext>

export interface ApiParts {
  live: LiveStore
  telemetry: TelemetryStore
  hosts: HostRegistry
  config: () => ConfigEntries
  operations: Operations
}

/** The implementation of every procedure of the contract. Failures are thrown as AppError; transports translate. */
export function createRouter(parts: ApiParts): ApiRouter {
  const { config, operations } = parts
  return heedingRefusals((refusal) => operations.noteRefusal(refusal)).router({
    ...operationHandlers(operations),
    ...hostHandlers(parts),
    config: { show: api.config.show.handler(() => config()) },
  })
}
