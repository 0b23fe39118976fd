export type { DeploymentEvent } from './events.ts'
export type {
  DeploymentChange,
  DeploymentStore,
  HookContext,
  HookOutcome,
  HookRunner,
  OpenDeployment,
  HeadroomLook,
  SteeringStores,
  StoredEvent,
  ValidationRequest,
  Validator,
} from './ports.ts'
export { buildPlan, planBeside, straightPlan, undoPlan } from './plan.ts'
export { isBehind, releaseBefore, releaseLine, type LineDeployment } from './release-line.ts'
export { apply, replay } from './apply.ts'
export { obey, type Command } from './commands.ts'
export { decide, type Facts } from './decide.ts'
export { DeploymentController } from './steering/deployment-controller.ts'
export type { PipelineParts, SteeredService } from './steering/parts.ts'
export { type ServiceView } from './steering/service-loop.ts'
export { hasEnded, isGoingBack, type DeploymentState, type Stage } from './state.ts'
export { deploymentView, queuePlace } from './view.ts'
export { noWayBack, wayBackOf, type WayBackFacts } from './way-back.ts'
export {
  newServiceRecord,
  type ServiceChange,
  type ServiceRecord,
  type ServiceStore,
} from './service-record.ts'
export { evidenceOf } from './evidence-of.ts'
export { deploymentHandlers, type DeploymentParts } from './handlers.ts'
export { deploymentNews, toTell, type Told } from './news.ts'
export { DeploymentProjection } from './projection.ts'
export { shownPlan } from './shown.ts'
