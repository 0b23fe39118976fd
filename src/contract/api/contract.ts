import { audit } from './audit.ts'
import { config } from './config.ts'
import { deployments } from './deployments.ts'
import { connections, hosts, processes } from './hosts.ts'
import { releases } from './releases.ts'
import { rollback } from './rollback.ts'
import { services } from './services.ts'
import { telemetry } from './telemetry.ts'

/** The table every transport, client, permission check and document is made from. */
export const contract = {
  services,
  releases,
  deployments,
  rollback,
  audit,
  hosts,
  telemetry,
  processes,
  connections,
  config,
}
export type Contract = typeof contract
