import { checksFor } from '../../adapters/checks/index.ts'
import { hookRunner } from '../../adapters/hooks/index.ts'
import { edgeRouter } from '../../adapters/routers/edge/index.ts'
import { edgeTarget, type EdgeClient } from '../../adapters/targets/edge/index.ts'
import type { PlanOptions } from '../../contract/index.ts'
import type { Config } from '../../engine/config/index.ts'
import { AppError, fail, ok, type Clock, type Log, type Result, type Rng } from '../../engine/core/index.ts'
import type {
  DeploymentStore,
  HookRunner,
  SteeredService,
  Validator,
} from '../../engine/deployments/index.ts'
import { validatorOf, type HostFact } from '../../engine/validation/index.ts'
import { validationFacts } from './facts.ts'

export interface SteeringParts {
  config: Pick<Config, 'deploy' | 'services'>
  /** Of the edge that runs and routes; it may be away for a while. */
  edge: EdgeClient
  store: DeploymentStore
  /** As known at the moment of the call. */
  hosts: () => readonly HostFact[]
  clock: Clock
  rng: Rng
  log: Log
}

/** A service with where it runs, what routes it, and its plan options: of the whole config, then its own. */
export interface ConfiguredService extends SteeredService {
  deployOptions: readonly PlanOptions[]
}

export interface Steering {
  /** In the order of the config. */
  services: readonly ConfiguredService[]
  validator: Validator
  hooks: HookRunner
}

/**
 * Everything that deployments of the configured services work with. CONFIG_INVALID, with all of them, for services
 * that name a target or router that there is not.
 */
export function steer({ config, edge, store, hosts, clock, rng, log }: SteeringParts): Result<Steering> {
  const targets = new Map([['edge', edgeTarget(edge)]])
  const routers = new Map([['edge', edgeRouter(edge)]])
  const mistakes: string[] = []
  const services = config.services.flatMap(({ definition, deploy }): ConfiguredService[] => {
    const target = targets.get(definition.target)
    const router = routers.get(definition.router)
    if (!target) mistakes.push(unknown(definition.name, 'target', definition.target, [...targets.keys()]))
    if (!router) mistakes.push(unknown(definition.name, 'router', definition.router, [...routers.keys()]))
    return target && router ? [{ definition, target, router, deployOptions: [config.deploy, deploy] }] : []
  })
  if (mistakes.length > 0) return fail(new AppError('CONFIG_INVALID', mistakes.join('; ')))

  const byName = new Map(services.map((service) => [service.definition.name, service]))
  const checks = new Map(config.services.map((service) => [service.definition.name, service.checks]))
  const facts = validationFacts({ services: byName, store, hosts })
  const validator = validatorOf({
    clock,
    rng,
    log,
    checksOf: (request) => {
      const written = checks.get(request.service)
      return written
        ? ok(checksFor(written, request, { clock, rng, facts }))
        : fail(new AppError('NOT_FOUND', `No service ${request.service} is configured.`))
    },
  })
  return ok({ services, validator, hooks: hookRunner({ clock, rng }) })
}

const unknown = (service: string, kind: string, found: string, known: readonly string[]) =>
  `the service ${service} names the ${kind} "${found}", expected one of ${known.join(', ')}`
