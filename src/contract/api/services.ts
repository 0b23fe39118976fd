import * as z from 'zod'
import { binSchema } from '../model/deployments.ts'
import { nameSchema } from '../model/names.ts'
import { actorSchema } from '../model/principal.ts'
import { logLineSchema, serviceStateSchema } from '../model/services.ts'
import { expectedRevision, expectedServiceRevision, why } from './inputs.ts'
import { procedure } from './procedure.ts'

/** A service that was declared over the API, in the form in which it would stand in a configuration file. */
const declarationSchema = z.object({
  service: nameSchema,
  definition: z.record(z.string(), z.unknown()),
  by: actorSchema,
  atMs: z.number(),
  /** From 1; grows with each change. */
  revision: z.number(),
})
export type DeclarationView = z.infer<typeof declarationSchema>

export const services = {
  list: procedure('state.read')
    .route({ method: 'GET', path: '/services', summary: 'All services with traffic, instances and SLIs' })
    .output(z.array(serviceStateSchema)),
  logs: procedure('logs.read')
    .route({
      method: 'GET',
      path: '/services/{service}/logs',
      summary: 'Newest log lines of instances',
    })
    .input(
      z.strictObject({
        service: nameSchema,
        releaseId: nameSchema.optional(),
        instanceId: z.string().max(200).optional(),
        lines: z.coerce.number().int().min(1).max(2000).default(200),
      }),
    )
    .output(z.array(logLineSchema)),
  bins: procedure('state.read')
    .route({
      method: 'GET',
      path: '/services/{service}/bins',
      summary: 'Request counts by release: per second for 30 minutes, per minute for 6 hours',
    })
    .input(
      z.strictObject({
        service: nameSchema,
        fromMs: z.coerce.number(),
        stepMs: z.coerce
          .number()
          .int()
          .min(1000)
          .max(3_600_000)
          .optional()
          .describe('Length of the spans over which counts are added up.'),
      }),
    )
    .output(z.array(binSchema)),
  declaration: procedure('state.read')
    .route({
      method: 'GET',
      path: '/services/{service}/declaration',
      summary: 'Definition of a declared service; webhook addresses are masked where they may be secret',
    })
    .input(z.strictObject({ service: nameSchema }))
    .output(declarationSchema),
  declare: procedure('services.write', { isOrder: true })
    .route({
      method: 'PUT',
      path: '/services/{service}/declaration',
      summary: 'Declare a service or change its declaration while the engine is running',
    })
    .input(
      z.strictObject({
        service: nameSchema,
        definition: z
          .record(z.string(), z.unknown())
          .describe(
            'The settings of the service, as under its name in the section `services` of a configuration file.',
          ),
        expectedRevision: expectedRevision.describe(
          'Revision of the declaration as it was seen; 0 for none.',
        ),
        why,
      }),
    )
    .output(declarationSchema),
  remove: procedure('services.write', { isOrder: true })
    .route({
      method: 'POST',
      path: '/services/{service}/remove',
      summary: 'Remove a declared service: first its traffic, then its instances',
    })
    .input(z.strictObject({ service: nameSchema, why }))
    .output(z.object({ service: nameSchema })),
  restart: procedure('instances.restart', { isOrder: true })
    .route({
      method: 'POST',
      path: '/services/{service}/restart',
      summary: 'Restart instances one at a time; each stops when its replacement is healthy',
    })
    .input(
      z.strictObject({
        service: nameSchema,
        releaseId: nameSchema.optional().describe('Only instances of this release.'),
        instanceId: z.string().max(200).optional().describe('Only this instance.'),
        why,
      }),
    )
    .output(z.object({ service: nameSchema, instanceIds: z.array(z.string()) })),
  resume: procedure('automation.resume', { isOrder: true })
    .route({
      method: 'POST',
      path: '/services/{service}/resume',
      summary: 'Resume automation after an emergency rollback',
    })
    .input(z.strictObject({ service: nameSchema, expectedRevision: expectedServiceRevision, why }))
    .output(serviceStateSchema),
}
