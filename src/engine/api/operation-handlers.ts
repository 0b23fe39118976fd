import { AppError, ok, type Result } from '../../base/index.ts'
import { isOrder, type DeclarationView, type Deployment } from '../../contract/index.ts'
import type { Command, Declaration } from '../deployments/index.ts'
import type { Operations } from '../operations/index.ts'
import { api, orThrow, type CallContext } from '../identity/index.ts'

type CommandInput = { id: string; expectedRevision: number | null; why: string }

/** Procedures on services, releases, deployments, rollback and audit. */
export function operationHandlers(operations: Operations) {
  const obey = (kind: Command['kind'], input: CommandInput, by: string): Promise<Deployment> =>
    orThrow(
      operations.command(input.id, { kind, by, why: input.why, expectedRevision: input.expectedRevision }),
    )
  return {
    services: {
      list: api.services.list.handler(() => operations.services()),
      logs: api.services.logs.handler(({ input }) => orThrow(operations.logs(given(input)))),
      bins: api.services.bins.handler(({ input }) =>
        orThrow(Promise.resolve(operations.bins(input.service, input.fromMs, input.stepMs))),
      ),
      declaration: api.services.declaration.handler(({ input }) =>
        orThrow(Promise.resolve(viewOf(operations.declaration(input.service)))),
      ),
      declare: api.services.declare.handler(async ({ input, context }) => {
        const { service, definition: written, expectedRevision, why } = input
        const request = { service, written, expectedRevision, why, by: context.principal.name }
        return orThrow(Promise.resolve(viewOf(await operations.declare(request))))
      }),
      remove: api.services.remove.handler(async ({ input, context }) => {
        await orThrow(operations.remove(input.service, context.principal.name, input.why))
        return { service: input.service }
      }),
      restart: api.services.restart.handler(async ({ input, context }) => {
        const { why, ...which } = input
        const instanceIds = await orThrow(operations.restart(given(which), context.principal.name, why))
        return { service: input.service, instanceIds }
      }),
      resume: api.services.resume.handler(({ input, context }) =>
        orThrow(operations.resume(input.service, asked(input, context))),
      ),
    },
    releases: {
      list: api.releases.list.handler(({ input }) =>
        orThrow(operations.releases(input.service, input.limit)),
      ),
      create: api.releases.create.handler(({ input, context }) =>
        orThrow(operations.createRelease(input, context.principal.name)),
      ),
      compare: api.releases.compare.handler(({ input }) =>
        orThrow(operations.compare(input.service, input.from, input.to)),
      ),
    },
    deployments: {
      list: api.deployments.list.handler(({ input }) => orThrow(operations.deployments(given(input)))),
      get: api.deployments.get.handler(({ input }) => orThrow(operations.deployment(input.id))),
      bins: api.deployments.bins.handler(({ input }) => orThrow(operations.deploymentBins(input.id))),
      rehearse: api.deployments.rehearse.handler(({ input }) => orThrow(operations.rehearse(input))),
      start: api.deployments.start.handler(({ input, context }) =>
        orThrow(operations.start(input, { ...asked(input, context), supersedes: input.supersedes })),
      ),
      pause: api.deployments.pause.handler(({ input, context }) =>
        obey('pause', input, context.principal.name),
      ),
      resume: api.deployments.resume.handler(({ input, context }) =>
        obey('resume', input, context.principal.name),
      ),
      skip: api.deployments.skip.handler(({ input, context }) => obey('skip', input, context.principal.name)),
      promote: api.deployments.promote.handler(({ input, context }) =>
        obey('promote', input, context.principal.name),
      ),
      abort: api.deployments.abort.handler(({ input, context }) =>
        obey('abort', input, context.principal.name),
      ),
      retry: api.deployments.retry.handler(({ input, context }) =>
        orThrow(operations.retry(input.id, { ...asked(input, context), supersedes: input.supersedes })),
      ),
      undo: api.deployments.undo.handler(({ input, context }) =>
        orThrow(operations.undo({ ...given(input), by: context.principal.name })),
      ),
    },
    rollback: {
      emergency: api.rollback.emergency.handler(({ input, context }) =>
        operations.emergency(input.services, context.principal.name, input.why),
      ),
    },
    audit: {
      list: api.audit.list.handler(({ input }) => orThrow(operations.audit(given(input)))),
      verify: api.audit.verify.handler(({ input: { seq, hash, seal } = {} }) =>
        orThrow(
          operations.verifyAudit(
            seq === undefined || hash === undefined
              ? null
              : { seq, hash, ...(seal === undefined ? {} : { seal }) },
          ),
        ),
      ),
      unconfirmed: api.audit.unconfirmed.handler(
        async ({ input: { order, target }, context: { principal } }) => {
          if (!isOrder(order)) throw new AppError('BAD_INPUT', `order: there is no order "${order}".`)
          const text = 'The word that was typed to confirm it was wrong.'
          await operations.noteRefusal({ actor: principal.name, order, target, code: 'CONFLICT', text })
          return {}
        },
      ),
      export: api.audit.export.handler(({ input }) =>
        orThrow(operations.exportAudit(input.format, input.fromMs, input.toMs)),
      ),
    },
  }
}

const asked = (
  { why, expectedRevision }: { why: string; expectedRevision: number | null },
  { principal }: CallContext,
) => ({ by: principal.name, why, expectedRevision })

function viewOf(found: Result<Declaration>): Result<DeclarationView> {
  if (!found.ok) return found
  const { service, written, by, atMs, revision } = found.value
  return ok({ service, definition: written, by, atMs, revision })
}

/** An input without the fields that were left out: `undefined` is not "given". */
function given<T extends object>(input: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
