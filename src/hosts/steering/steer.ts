import { checksFor } from '../../adapters/checks/index.ts'
import { hookRunner } from '../../adapters/hooks/index.ts'
import { edgeRouter } from '../../adapters/routers/edge/index.ts'
import { edgeTarget, type EdgeClient } from '../../adapters/targets/edge/index.ts'
import { AppError, fail, ok, type Clock, type Log, type Rng } from '../../engine/core/index.ts'
import type { DeploymentStore } from '../../engine/deployments/index.ts'
import type { Steering } from '../../engine/index.ts'
import type { OperatedService } from '../../engine/operations/index.ts'
import { validatorOf, type HostFact } from '../../engine/validation/index.ts'
import { validationFacts } from './facts.ts'

export interface SteeringParts {
  /** Of the edge that runs and routes; it may be away for a while. */
  edge: EdgeClient
  store: DeploymentStore
  /** What is operated under a name, as known at the moment of the call. */
  service: (name: string) => OperatedService | undefined
  /** As known at the moment of the call. */
  hosts: () => readonly HostFact[]
  clock: Clock
  rng: Rng
  log: Log
}

export type Surroundings = Pick<Steering, 'equip' | 'validator' | 'hooks'>

/** What deployments work with beside their store: where services run, what routes them, their checks and hooks. */
export function steer({ edge, store, service, hosts, clock, rng, log }: SteeringParts): Surroundings {
  const targets = new Map([['edge', edgeTarget(edge)]])
  const routers = new Map([['edge', edgeRouter(edge)]])
  const facts = validationFacts({ service, store, hosts })
  return {
    equip: ({ definition: { name, ...named } }) => {
      const target = targets.get(named.target)
      const router = routers.get(named.router)
      if (target && router) return ok({ target, router })
      const mistakes = [
        ...(target ? [] : [unknown(name, 'target', named.target, [...targets.keys()])]),
        ...(router ? [] : [unknown(name, 'router', named.router, [...routers.keys()])]),
      ]
      return fail(new AppError('CONFIG_INVALID', mistakes.join('; ')))
    },
    validator: validatorOf({
      clock,
      rng,
      log,
      checksOf: (request) => {
        const found = service(request.service)
        return found
          ? ok(checksFor(found.checks, request, { clock, rng, facts }))
          : fail(new AppError('NOT_FOUND', `There is no service ${request.service}.`))
      },
    }),
    hooks: hookRunner({ clock, rng }),
  }
}

const unknown = (service: string, kind: string, found: string, known: readonly string[]) =>
  `the service ${service} names the ${kind} "${found}", expected one of ${known.join(', ')}`
