import * as z from 'zod'
import {
  hookSchema,
  judgeLimitsSchema,
  planSchema,
  presets,
  stepSchema,
  undecidedPolicies,
} from './deployments.ts'

/**
 * What an environment, a service or a deployment may set of a plan; each is optional. Of `limits` single ones may be
 * set. `weight` and `holdMs` are the short way to write a plan of one step.
 */
export const planOptionsSchema = z.strictObject({
  preset: z.enum(presets).optional(),
  steps: z.array(stepSchema).min(1).max(50).optional(),
  weight: z.number().min(0).max(100).optional(),
  holdMs: z.number().int().min(0).optional(),
  limits: z
    .strictObject(
      Object.fromEntries(
        Object.entries(judgeLimitsSchema.shape).map(([key, schema]) => [key, schema.unwrap().optional()]),
      ) as {
        [K in keyof typeof judgeLimitsSchema.shape]: z.ZodOptional<
          ReturnType<(typeof judgeLimitsSchema.shape)[K]['unwrap']>
        >
      },
    )
    .optional(),
  metricsEveryMs: planSchema.shape.metricsEveryMs.optional(),
  onFailure: planSchema.shape.onFailure.optional(),
  onInconclusive: z.enum(undecidedPolicies).optional(),
  maxTimeMs: planSchema.shape.maxTimeMs.optional(),
  progressDeadlineMs: planSchema.shape.progressDeadlineMs.optional(),
  instances: planSchema.shape.instances.optional(),
  startAtOnce: planSchema.shape.startAtOnce.optional(),
  skipAnalysis: z.boolean().optional(),
  isFix: z.boolean().optional(),
  keepStableWarmMs: planSchema.shape.keepStableWarmMs.optional(),
  hooks: z.array(hookSchema).max(100).optional(),
})
export type PlanOptions = z.infer<typeof planOptionsSchema>
