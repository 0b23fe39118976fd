import { ok, type Result } from '../../base/index.ts'
import { actorOf, type DeclarationView } from '../../contract/index.ts'
import type { Declaration } from './ports.ts'
import { api, given, orThrow } from '../identity/index.ts'
import type { Services } from './services.ts'

/** Procedures on services. */
export const serviceHandlers = (services: Services) => ({
  services: {
    list: api.services.list.handler(() => services.list()),
    logs: api.services.logs.handler(({ input }) => orThrow(services.logs(given(input)))),
    bins: api.services.bins.handler(({ input }) =>
      orThrow(services.bins(input.service, input.fromMs, input.stepMs)),
    ),
    declaration: api.services.declaration.handler(({ input }) =>
      orThrow(viewOf(services.declaration(input.service))),
    ),
    declare: api.services.declare.handler(async ({ input, context }) => {
      const { service, definition: written, expectedRevision, why } = input
      const request = { service, written, expectedRevision, why, by: actorOf(context.principal) }
      return orThrow(viewOf(await services.declare(request)))
    }),
    remove: api.services.remove.handler(async ({ input, context }) => {
      await orThrow(services.remove(input.service, actorOf(context.principal), input.why))
      return { service: input.service }
    }),
    restart: api.services.restart.handler(async ({ input, context }) => {
      const { why, ...which } = input
      const instanceIds = await orThrow(services.restart(given(which), actorOf(context.principal), why))
      return { service: input.service, instanceIds }
    }),
    resume: api.services.resume.handler(({ input, context }) =>
      orThrow(
        services.resume(input.service, {
          by: actorOf(context.principal),
          why: input.why,
          expectedRevision: input.expectedRevision,
        }),
      ),
    ),
  },
})

function viewOf(found: Result<Declaration>): Result<DeclarationView> {
  if (!found.ok) return found
  const { service, written, by, atMs, revision } = found.value
  return ok({ service, definition: written, by, atMs, revision })
}
