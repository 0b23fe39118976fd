import * as z from 'zod'
import {
  auditEntrySchema,
  binSchema,
  deploymentPhases,
  deploymentSchema,
  planSchema,
  validationSchema,
} from '../model/deployments.ts'
import { errorCodes } from '../../base/index.ts'
import { planOptionsSchema } from '../model/plan-options.ts'
import { procedure } from './procedure.ts'
import { logLineSchema, nameSchema, newReleaseSchema, releaseSchema, serviceStateSchema } from '../model/services.ts'

const why = z.string().max(2000).default('').describe('Kept in the audit log.')
const id = z.string().min(1).max(200)

/** Of the deployment that the person saw; left out, the command holds whatever has happened since. */
const expectedRevision = z.number().int().nonnegative().nullable().default(null)

/** Of the service that the person saw. */
const expectedServiceRevision = expectedRevision.describe(
  'Of the service that was seen; left out: as it is now.',
)

/** Without it, a deployment under way refuses another one (CONFLICT): nobody undoes unknowingly what somebody else does. */
const supersedes = id
  .nullable()
  .default(null)
  .describe('The deployment under way that gives way: it is taken back first.')

const deployer = procedure.meta({ role: 'deployer', dangerous: true })
const responder = procedure.meta({ role: 'responder', dangerous: true })

/** What an emergency rollback did to one service, as read back from its router. */
export const rollbackOutcomeSchema = z.object({
  service: nameSchema,
  ok: z.boolean(),
  /** All traffic goes here now; null when the router could not be reached. */
  releaseId: z.string().nullable(),
  fromReleaseId: z.string().nullable(),
  /** From the order to the verified answer of the router. */
  tookMs: z.number(),
  text: z.string(),
  /** Why not, where it is not ok. CONFLICT is an answer: there is nothing that an emergency rollback could do. */
  code: z.enum(errorCodes).optional(),
  /** What a person can run instead; left out where there is nothing. */
  nextCommand: z.string().optional(),
})
export type RollbackOutcome = z.infer<typeof rollbackOutcomeSchema>

const differenceSchema = z.object({
  path: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
})

export const comparisonSchema = z.object({
  from: releaseSchema,
  to: releaseSchema,
  /** Artifact and parameters, what is the same left out. */
  differences: z.array(differenceSchema),
  /** Over the last hour each of them had traffic; null where nothing was kept. */
  metrics: z.array(
    z.object({
      metric: z.enum(['errorRatio', 'p50Ms', 'p95Ms', 'p99Ms', 'requestsPerSecond']),
      from: z.number().nullable(),
      to: z.number().nullable(),
    }),
  ),
})
export type Comparison = z.infer<typeof comparisonSchema>

const startInput = z.strictObject({
  service: nameSchema,
  releaseId: nameSchema,
  options: planOptionsSchema.prefault({}),
  expectedRevision: expectedServiceRevision,
  supersedes,
  why,
})

/** A service that was declared over the API, in the form in which it would stand in a configuration file. */
export const declarationSchema = z.object({
  service: nameSchema,
  definition: z.record(z.string(), z.unknown()),
  by: z.string(),
  atMs: z.number(),
  /** From 1; grows with each change. */
  revision: z.number(),
})
export type DeclarationView = z.infer<typeof declarationSchema>

const command = (name: 'pause' | 'resume' | 'skip' | 'promote' | 'abort', summary: string) =>
  deployer
    .route({ method: 'POST', path: `/deployments/{id}/${name}`, summary })
    .input(z.strictObject({ id, expectedRevision, why }))
    .output(deploymentSchema)

/** Services, releases, deployments, rollback, audit. */
export const operations = {
  services: {
    list: procedure
      .route({ method: 'GET', path: '/services', summary: 'All services with traffic, instances and SLIs' })
      .output(z.array(serviceStateSchema)),
    logs: procedure
      .route({
        method: 'GET',
        path: '/services/{service}/logs',
        summary: 'Newest lines that instances printed',
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
    bins: procedure
      .route({
        method: 'GET',
        path: '/services/{service}/bins',
        summary: 'Counts of each release: by second for half an hour, by minute for six hours',
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
            .describe('Sums the counts over spans of this length.'),
        }),
      )
      .output(z.array(binSchema)),
    declaration: procedure
      .route({
        method: 'GET',
        path: '/services/{service}/declaration',
        summary:
          'A declared service as it was written, addresses of webhooks hidden where they may be secret',
      })
      .input(z.strictObject({ service: nameSchema }))
      .output(declarationSchema),
    declare: deployer
      .route({
        method: 'PUT',
        path: '/services/{service}/declaration',
        summary: 'Declare a service, or change it, while the engine runs',
      })
      .input(
        z.strictObject({
          service: nameSchema,
          definition: z
            .record(z.string(), z.unknown())
            .describe('What would stand under its name in the section `services` of a configuration file.'),
          expectedRevision: expectedRevision.describe('Of the declaration that was seen; 0 for none.'),
          why,
        }),
      )
      .output(declarationSchema),
    remove: deployer
      .route({
        method: 'POST',
        path: '/services/{service}/remove',
        summary: 'End a service that no file names: its traffic, then its instances',
      })
      .input(z.strictObject({ service: nameSchema, why }))
      .output(z.object({ service: nameSchema })),
    restart: responder
      .route({
        method: 'POST',
        path: '/services/{service}/restart',
        summary: 'Restart instances one at a time, each when the one before it has a healthy replacement',
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
    resume: responder
      .route({
        method: 'POST',
        path: '/services/{service}/resume',
        summary: 'Let automation go on after an emergency',
      })
      .input(z.strictObject({ service: nameSchema, expectedRevision: expectedServiceRevision, why }))
      .output(serviceStateSchema),
  },
  releases: {
    list: procedure
      .route({
        method: 'GET',
        path: '/services/{service}/releases',
        summary: 'Releases of a service, newest first',
      })
      .input(
        z.strictObject({ service: nameSchema, limit: z.coerce.number().int().min(1).max(500).default(50) }),
      )
      .output(z.array(releaseSchema)),
    create: deployer
      .route({
        method: 'POST',
        path: '/services/{service}/releases',
        summary: 'Make a release known; nothing runs yet',
      })
      .input(newReleaseSchema)
      .output(releaseSchema),
    compare: procedure
      .route({
        method: 'GET',
        path: '/services/{service}/compare',
        summary: 'What differs between two releases',
      })
      .input(z.strictObject({ service: nameSchema, from: nameSchema, to: nameSchema }))
      .output(comparisonSchema),
  },
  deployments: {
    list: procedure
      .route({ method: 'GET', path: '/deployments', summary: 'History with filters, newest first' })
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
    get: procedure
      .route({ method: 'GET', path: '/deployments/{id}', summary: 'One deployment with its log' })
      .input(z.strictObject({ id }))
      .output(deploymentSchema),
    bins: procedure
      .route({ method: 'GET', path: '/deployments/{id}/bins', summary: 'The counts it was judged on' })
      .input(z.strictObject({ id }))
      .output(z.array(binSchema)),
    rehearse: procedure
      .meta({ role: 'deployer', dangerous: false })
      .route({
        method: 'POST',
        path: '/deployments/rehearse',
        summary: 'The plan and the checks, nothing moves',
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
        }),
      ),
    start: deployer
      .route({ method: 'POST', path: '/deployments', summary: 'Deploy a release' })
      .input(startInput)
      .output(deploymentSchema),
    pause: command('pause', 'Stay at this step'),
    resume: command('resume', 'Go on'),
    skip: command('skip', 'Go to the next step now'),
    promote: command('promote', 'All traffic to the candidate, judged or not'),
    abort: command('abort', 'Roll back'),
    retry: deployer
      .route({ method: 'POST', path: '/deployments/{id}/retry', summary: 'Deploy the same again' })
      .input(z.strictObject({ id, expectedRevision: expectedServiceRevision, supersedes, why }))
      .output(deploymentSchema),
    undo: deployer
      .route({
        method: 'POST',
        path: '/services/{service}/undo',
        summary: 'Back to a release of the history',
      })
      .input(
        z.strictObject({
          service: nameSchema,
          releaseId: nameSchema.optional(),
          expectedRevision: expectedServiceRevision,
          supersedes,
          why,
        }),
      )
      .output(deploymentSchema),
  },
  rollback: {
    emergency: responder
      .route({
        method: 'POST',
        path: '/rollback',
        summary: 'Stop every deployment and send all traffic back, at once',
      })
      .input(
        z.strictObject({
          /** Left out: every service whose `wayBack` is not an undo. */
          services: z.array(nameSchema).min(1).max(1000).optional(),
          why,
        }),
      )
      .output(z.array(rollbackOutcomeSchema)),
  },
  audit: {
    list: procedure
      .route({ method: 'GET', path: '/audit', summary: 'Who did what, newest first' })
      .input(
        z.strictObject({
          actor: z.string().max(200).optional(),
          target: z.string().max(200).optional(),
          text: z.string().max(200).optional().describe('Anywhere in who, what, to what or why.'),
          fromMs: z.coerce.number().optional(),
          toMs: z.coerce.number().optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          beforeSeq: z.coerce.number().int().optional(),
        }),
      )
      .output(z.array(auditEntrySchema)),
    verify: procedure
      .route({ method: 'GET', path: '/audit/verify', summary: 'Whether the chain of the audit log is whole' })
      .input(
        z
          .strictObject({
            seq: z.coerce.number().int().positive().optional().describe('An entry known from an export.'),
            hash: z
              .string()
              .regex(/^[0-9a-f]{64}$/)
              .optional()
              .describe('The hash that it had there.'),
            seal: z
              .string()
              .regex(/^[0-9a-f]{64}$/)
              .optional()
              .describe('The seal beside the hash, where the export has one.'),
          })
          .optional(),
      )
      .output(
        z.object({
          isWhole: z.boolean(),
          entryCount: z.number(),
          /** The first entry that does not follow from the one before it. */
          firstBrokenSeq: z.number().nullable(),
          text: z.string(),
        }),
      ),
    unconfirmed: procedure
      .route({
        method: 'POST',
        path: '/audit/unconfirmed',
        summary: 'Put on record that a person was asked to confirm an order and typed the wrong word',
      })
      .input(
        z.strictObject({
          order: z.string().max(100).describe('Name of the procedure: deployments.promote.'),
          target: z.string().max(200).describe('The service.'),
        }),
      )
      .output(z.object({})),
    export: procedure
      .route({ method: 'GET', path: '/audit/export', summary: 'The audit log as JSON Lines or CSV' })
      .input(
        z.strictObject({
          format: z.enum(['jsonl', 'csv']),
          fromMs: z.coerce.number().optional(),
          toMs: z.coerce.number().optional(),
        }),
      )
      .output(z.object({ name: z.string(), text: z.string() })),
  },
}
