import type { Router } from '@orpc/server'
import type { ConfigEntries, contract } from '../../contract/index.ts'
import { auditHandlers, type AuditParts } from '../audit/index.ts'
import { deploymentHandlers, type DeploymentParts } from '../deployments/index.ts'
import { hostHandlers, type HostParts } from '../hosts/index.ts'
import { api, type CallContext } from '../identity/index.ts'
import { releaseHandlers, type ReleaseParts } from '../releases/index.ts'
import { serviceHandlers, type Services } from '../services/index.ts'
import { heedingRefusals } from './refused.ts'

export type ApiRouter = Router<typeof contract, CallContext>

export type ApiParts = AuditParts &
  DeploymentParts &
  HostParts &
  Omit<ReleaseParts, 'store'> & { services: Services; config: () => ConfigEntries }

/** The implementation of every procedure of the contract. Failures are thrown as AppError; transports translate. */
export const createRouter = (parts: ApiParts): ApiRouter =>
  heedingRefusals(parts.noteRefusal).router({
    ...serviceHandlers(parts.services),
    ...releaseHandlers(parts),
    ...deploymentHandlers(parts),
    ...auditHandlers(parts),
    ...hostHandlers(parts),
    config: { show: api.config.show.handler(() => parts.config()) },
  })
