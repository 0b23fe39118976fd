export type { DeploymentEvent, PauseCause } from './events.ts'
export type {
  AuditFilter,
  Commit,
  DeploymentFilter,
  DeploymentStore,
  EvidenceCommit,
  HookContext,
  HookOutcome,
  HookRunner,
  OpenDeployment,
  ServiceRecord,
  StoredEvent,
  ValidationRequest,
  Validator,
} from './ports.ts'
export { buildPlan, undoPlan } from './plan.ts'
