export type { DeploymentEvent } from './events.ts'
export type {
  AuditFilter,
  Commit,
  Declaration,
  DeploymentFilter,
  DeploymentStore,
  EvidenceCommit,
  HookContext,
  HookOutcome,
  HookRunner,
  OpenDeployment,
  RoomLook,
  ServiceRecord,
  StoredEvent,
  ValidationRequest,
  Validator,
} from './ports.ts'
export { buildPlan, straightPlan } from './plan.ts'
export { age, apply, replay } from './apply.ts'
export { obey, type Command, type Seen } from './commands.ts'
export { decide, type Facts } from './decide.ts'
export { Fleet, type DeployRequest, type FleetOptions } from './loop/fleet.ts'
export type { PipelineParts, SteeredService } from './loop/parts.ts'
export { ServiceLoop, type EmergencyRequest, type ServiceView } from './loop/service-loop.ts'
export { hasEnded, isGoingBack, type DeploymentState, type Stage } from './state.ts'
export { deploymentView } from './view.ts'
