import { AppError, fail, ok, type Clock, type Log, type Rng } from '../../base/index.ts'
import { checksFor } from '../../adapters/checks/index.ts'
import { hookRunner } from '../../adapters/hooks/index.ts'
import { artifactIn, notFoundText } from '../../contract/index.ts'
import type { ValidationRequest } from '../../engine/deployments/index.ts'
import type { Steering } from '../../engine/index.ts'
import type { Stores } from '../../engine/stores.ts'
import type { OperatedService } from '../../engine/services/index.ts'
import { PlatformRegistry, type Platform } from '../../engine/platforms/index.ts'
import { missingRoom, validationFacts, validatorOf, type HostFact } from '../../engine/validation/index.ts'

export interface SteeringParts {
  /** Where services run and what routes them. */
  platforms: readonly Platform[]
  stores: Pick<Stores, 'services' | 'releases' | 'deployments' | 'evidence'>
  /** What is operated under a name, as known at the moment of the call. */
  service: (name: string) => OperatedService | undefined
  /** As known at the moment of the call. */
  hosts: () => readonly HostFact[]
  /** Where programs run that no config file names. */
  workDirectory: string
  /** Where people reach the screens, as known at the moment of the call; null where nobody can. */
  origin: () => string | null
  clock: Clock
  rng: Rng
  log: Log
}

export type SteeringEquipment = Pick<Steering, 'equip' | 'validator' | 'hooks' | 'room'>

/** What deployments work with beside their store: where services run, what routes them, their checks and hooks. */
export function steer({
  platforms,
  stores,
  service,
  hosts,
  workDirectory,
  origin,
  clock,
  rng,
  log,
}: SteeringParts): SteeringEquipment {
  const registry = new PlatformRegistry(platforms)
  const directoryFor = (found: OperatedService | undefined) =>
    found?.definition.workingDirectory ?? workDirectory
  const facts = validationFacts({ service, stores, hosts })
  return {
    equip: (definition) => registry.equip(definition),
    validator: validatorOf({
      clock,
      rng,
      log,
      checksOf: (request) => {
        const found = service(request.service)
        return found
          ? ok(
              checksFor(found.checks, placed(request, directoryFor(found)), {
                clock,
                rng,
                facts,
                runsAs: found.definition,
              }),
            )
          : fail(new AppError('NOT_FOUND', notFoundText('service', request.service)))
      },
    }),
    hooks: hookRunner({
      clock,
      rng,
      origin,
      program: async (context) => {
        const release = await stores.releases.find(context.service, context.candidateReleaseId)
        const found = service(context.service)
        return {
          release: release.ok ? release.value : null,
          directory: directoryFor(found),
          runsAs: found?.definition,
        }
      },
    }),
    room: (limits) => missingRoom(hosts(), limits),
  }
}

/** Releases that were added before each had its directory run in that of their service. */
const placed = (request: ValidationRequest, directory: string): ValidationRequest => {
  const { release } = request
  return { ...request, release: { ...release, artifact: artifactIn(directory, release.artifact) } }
}
