import type { Clock, Log, Rng } from '../../../base/index.ts'
import type { ServiceDefinition } from '../../../contract/index.ts'
import type { Judge } from '../../canary/index.ts'
import type { Router, Target } from '../../platforms/index.ts'
import type { HookRunner, HeadroomLook, SteeringStores, Validator } from '../ports.ts'

/** What every service's loop works with. */
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

/** A service with where it runs and what routes it. */
export interface SteeredService {
  definition: ServiceDefinition
  target: Target
  router: Router
}

/** Longest wait for one answer of a port. What is late is asked again at the next tick. */
export const answerWithinMs = 5000
/** Between two looks at a service, and while traffic has to leave a candidate. */
export const tickMs = 1000
export const urgentTickMs = 200
/** What is over this of the time between two looks was not watched: a suspend, a stall, parts that do not answer. */
export const longestTickMs = 5000
/** Between two looks at the store for what may have changed there unseen. */
export const readAgainEveryMs = 30_000
