import * as z from 'zod'
import { capabilitiesSchema } from '../model/capabilities.ts'
import {
  binSchema,
  deploymentPhases,
  deploymentSchema,
  planSchema,
  validationSchema,
} from '../model/deployments.ts'
import { planOptionsSchema } from '../model/plan-options.ts'
import { nameSchema } from '../model/names.ts'
import { expectedRevision, expectedServiceRevision, id, why } from './inputs.ts'
import { procedure } from './procedure.ts'

/** Without it, a deployment in progress refuses another one (CONFLICT): nobody undoes unknowingly what someone else does. */
const supersedes = id
  .nullable()
  .default(null)
  .describe('The deployment in progress to supersede: it is rolled back first.')

const startInput = z.strictObject({
  service: nameSchema,
  releaseId: nameSchema,
  options: planOptionsSchema.prefault({}),
  expectedRevision: expectedServiceRevision,
  supersedes,
  why,
})

const command = (name: 'pause' | 'resume' | 'skip' | 'promote' | 'abort', summary: string) =>
  procedure('deployments.write', { isOrder: true })
    .route({ method: 'POST', path: `/deployments/{id}/${name}`, summary })
    .input(z.strictObject({ id, expectedRevision, why }))
    .output(deploymentSchema)

export const deployments = {
  list: procedure('state.read')
    .route({ method: 'GET', path: '/deployments', summary: 'Deployment history, newest first' })
    .input(
      z.strictObject({
        service: nameSchema.optional(),
        phases: z.array(z.enum(deploymentPhases)).max(20).optional(),
        releaseId: nameSchema.optional(),
        createdBy: z.string().max(200).optional(),
        text: z.string().max(200).optional(),
        fromMs: z.coerce.number().optional(),
        toMs: z.coerce.number().optional(),
        limit: z.coerce.number().int().min(1).max(500).default(50),
        beforeId: z.string().max(200).optional(),
      }),
    )
    .output(z.array(deploymentSchema)),
  get: procedure('state.read')
    .route({ method: 'GET', path: '/deployments/{id}', summary: 'One deployment with its log' })
    .input(z.strictObject({ id }))
    .output(deploymentSchema),
  bins: procedure('state.read')
    .route({
      method: 'GET',
      path: '/deployments/{id}/bins',
      summary: 'Request counts that the deployment was judged on',
    })
    .input(z.strictObject({ id }))
    .output(z.array(binSchema)),
  rehearse: procedure('deployments.plan')
    .route({
      method: 'POST',
      path: '/deployments/rehearse',
      summary: 'Dry run: the plan and the checks',
    })
    .input(startInput)
    .output(
      z.object({
        plan: planSchema,
        stableReleaseId: z.string().nullable(),
        validation: validationSchema,
        /** Of the service, as a mean over the last minutes; null while too little was seen. */
        requestsPerSecond: z.number().nullable().optional(),
        /** User and group that its programs run as, `user:group`; null as Pilothouse does. */
        runsAs: z.string().nullable().optional(),
        /** Of the platform that it would run on; left out by earlier engines. */
        capabilities: capabilitiesSchema.optional(),
        /** That an old release stops which is kept warm: a sentence, empty where none is. Left out by earlier engines. */
        endsWarm: z.string().optional(),
      }),
    ),
  start: procedure('deployments.write', { isOrder: true })
    .route({ method: 'POST', path: '/deployments', summary: 'Deploy a release' })
    .input(startInput)
    .output(deploymentSchema),
  pause: command('pause', 'Pause at this step'),
  resume: command('resume', 'Resume'),
  skip: command('skip', 'Skip to the next step'),
  promote: command('promote', 'Promote the candidate now, regardless of the judgment'),
  abort: command('abort', 'Abort and roll back'),
  retry: procedure('deployments.write', { isOrder: true })
    .route({
      method: 'POST',
      path: '/deployments/{id}/retry',
      summary: 'Retry with the same release and options',
    })
    .input(z.strictObject({ id, expectedRevision: expectedServiceRevision, supersedes, why }))
    .output(deploymentSchema),
  undo: procedure('deployments.write', { isOrder: true })
    .route({
      method: 'POST',
      path: '/services/{service}/undo',
      summary: 'Deploy an earlier release again',
    })
    .input(
      z.strictObject({
        service: nameSchema,
        releaseId: nameSchema.optional(),
        expectedRevision: expectedServiceRevision,
        supersedes,
        resumesAutomation: z
          .boolean()
          .default(false)
          .describe(
            'Resume automation that an emergency rollback has stopped. Without it, such a service refuses the undo.',
          ),
        why,
      }),
    )
    .output(deploymentSchema),
}
