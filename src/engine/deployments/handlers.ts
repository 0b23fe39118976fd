import { ok, type Result } from '../../base/index.ts'
import {
  actorOf,
  type Actor,
  endsWarmText,
  runsAsText,
  type Capabilities,
  type Deployment,
  type PlanOptions,
} from '../../contract/index.ts'
import type { LiveStore } from '../core/index.ts'
import { api, given, orThrow, type CallContext } from '../identity/index.ts'
import type { Command } from './commands.ts'
import type { DeploymentController } from './steering/deployment-controller.ts'
import type { SteeredService } from './steering/parts.ts'
import type { ServiceView } from './steering/service-loop.ts'
import type { EvidenceStore } from '../canary/index.ts'
import type { SteeringStores } from './ports.ts'
import { rehearse, type RehearsalParts } from './rehearse.ts'
import { shownDeployment } from './shown.ts'

export interface DeploymentParts extends RehearsalParts {
  controller: DeploymentController
  stores: Pick<SteeringStores, 'deployments' | 'releases'> & { evidence: EvidenceStore }
  live: LiveStore
  services: {
    /** NOT_FOUND names the services that there are. */
    require: (
      name: string,
    ) => Result<SteeredService & { deployOptions: readonly PlanOptions[]; capabilities: Capabilities }>
    view: (name: string) => Pick<ServiceView, 'record' | 'wayBack'> | undefined
    requestsPerSecond: (name: string) => number | null
  }
}

/** Procedures on deployments, and the emergency rollback. */
export function deploymentHandlers(parts: DeploymentParts) {
  const { controller, stores, live, services } = parts

  const stored = async (id: string): Promise<Result<Deployment>> => {
    const found = await stores.deployments.find(id)
    return found.ok ? ok(shownDeployment(found.value)) : found
  }
  /** The deployment as the controller has just stored it. */
  const shown = async (id: Promise<Result<string>>): Promise<Deployment> => {
    const done = await id
    return orThrow(done.ok ? stored(done.value) : done)
  }
  const command = async (kind: Command['kind'], input: CommandInput, by: Actor): Promise<Deployment> => {
    const { id, why, expectedRevision } = input
    await orThrow(controller.command(id, { kind, by, why, expectedRevision }))
    return orThrow(stored(id))
  }

  return {
    deployments: {
      list: api.deployments.list.handler(async ({ input }) =>
        (await orThrow(stores.deployments.list(given(input)))).map(shownDeployment),
      ),
      get: api.deployments.get.handler(({ input }) => {
        const running = live.get(`deployment:${input.id}`)
        return running ?? orThrow(stored(input.id))
      }),
      bins: api.deployments.bins.handler(({ input }) => orThrow(stores.evidence.binsOf(input.id))),
      rehearse: api.deployments.rehearse.handler(async ({ input }) => {
        const { service, releaseId, supersedes } = input
        const { definition, deployOptions, capabilities } = await orThrow(services.require(service))
        const rehearsal = await orThrow(
          rehearse(parts, {
            service,
            releaseId,
            options: [...deployOptions, input.options],
            stableReleaseId: services.view(service)?.record.stableReleaseId ?? null,
            supersedes,
          }),
        )
        return {
          ...rehearsal,
          requestsPerSecond: services.requestsPerSecond(service),
          runsAs: runsAsText(definition),
          capabilities,
          endsWarm: endsWarmText(services.view(service)?.wayBack),
        }
      }),
      start: api.deployments.start.handler(async ({ input, context }) => {
        const { service, releaseId, options, supersedes } = input
        const { deployOptions } = await orThrow(services.require(service))
        return shown(
          controller.deploy({
            service,
            releaseId,
            options: [...deployOptions, options],
            ...asked(input, context),
            supersedes,
          }),
        )
      }),
      pause: api.deployments.pause.handler(({ input, context }) =>
        command('pause', input, actorOf(context.principal)),
      ),
      resume: api.deployments.resume.handler(({ input, context }) =>
        command('resume', input, actorOf(context.principal)),
      ),
      skip: api.deployments.skip.handler(({ input, context }) =>
        command('skip', input, actorOf(context.principal)),
      ),
      promote: api.deployments.promote.handler(({ input, context }) =>
        command('promote', input, actorOf(context.principal)),
      ),
      abort: api.deployments.abort.handler(({ input, context }) =>
        command('abort', input, actorOf(context.principal)),
      ),
      retry: api.deployments.retry.handler(({ input, context }) =>
        shown(controller.retry(input.id, { ...asked(input, context), supersedes: input.supersedes })),
      ),
      undo: api.deployments.undo.handler(({ input, context }) =>
        shown(controller.undo({ ...given(input), by: actorOf(context.principal) })),
      ),
    },
    rollback: {
      emergency: api.rollback.emergency.handler(({ input, context }) =>
        controller.emergency(input.services ?? 'all', actorOf(context.principal), input.why),
      ),
    },
  }
}

type CommandInput = { id: string; expectedRevision: number | null; why: string }

const asked = (
  { why, expectedRevision }: { why: string; expectedRevision: number | null },
  context: CallContext,
) => ({ by: actorOf(context.principal), why, expectedRevision })
