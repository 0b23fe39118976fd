export type { DeploymentEvent, PauseCause } from './events.ts'
export type {
  AuditDraft,
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
