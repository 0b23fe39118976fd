import type { Clock, Log, Rng } from '../../../base/index.ts'
import type { ServiceDefinition } from '../../../contract/index.ts'
import type { Judge } from '../../canary/index.ts'
import type { Router, Target } from '../../platforms/index.ts'
import type { HookRunner, HeadroomLook, SteeringStores, Validator } from '../ports.ts'

/** What the loop of each service works with. */
export interface PipelineParts {
  clock: Clock
  rng: Rng
  log: Log
  stores: SteeringStores
  judge: Judge
  validator: Validator
  hooks: HookRunner
  room: HeadroomLook
}

/** A service with its target and router. */
export interface SteeredService {
  definition: ServiceDefinition
  target: Target
  router: Router
}

/** Longest wait for one answer of a port. A late call is repeated at the next tick. */
export const answerWithinMs = 5000
/** Time between two ticks of a service, and while traffic leaves a candidate. */
export const tickMs = 1000
export const urgentTickMs = 200
/** Time between two ticks beyond this was not watched: a suspend, a stall, or ports that do not answer. */
export const longestTickMs = 5000
/** Time between two reads of the store for changes made by others. */
export const readAgainEveryMs = 30_000
