import type { Migration } from '../migrate.ts'
import { journal } from './0010-journal.ts'
import { deployments } from './0020-deployments.ts'
import { declarations } from './0030-declarations.ts'
import { auditEnd } from './0040-audit-end.ts'
import { auditSeal } from './0050-audit-seal.ts'
import { serviceTraffic } from './0060-service-traffic.ts'
import { serviceScaling } from './0070-service-scaling.ts'
import { auditKeys } from './0080-audit-keys.ts'
import { lease } from './0090-lease.ts'
import { actorKinds } from './0100-actor-kinds.ts'
import { endedEmergency } from './0110-ended-emergency.ts'

/** All steps of the schema, in order. */
export const migrations: readonly Migration[] = [
  journal,
  deployments,
  declarations,
  auditEnd,
  auditSeal,
  serviceTraffic,
  serviceScaling,
  auditKeys,
  lease,
  actorKinds,
  endedEmergency,
]
