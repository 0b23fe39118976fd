import * as z from 'zod'
import {
  hookSchema,
  judgeLimitsSchema,
  planSchema,
  presets,
  resourceLimitsSchema,
  stepSchema,
  undecidedPolicies,
} from './deployments.ts'

/** The same section of which each setting may be left out: what is not said holds from below. */
const partial = <S extends Record<string, z.ZodDefault<z.ZodType>>>(shape: S) =>
  z.strictObject(
    Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.unwrap().optional()])) as {
      [K in keyof S]: z.ZodOptional<ReturnType<S[K]['unwrap']>>
    },
  )

/**
 * What an environment, a service or a deployment may set of a plan; each is optional. Of `limits` and `resources` single ones
 * may be set. `weight` and `holdMs` are the short way to write a plan of one step.
 */
export const planOptionsSchema = z.strictObject({
  preset: z.enum(presets).optional(),
  steps: z.array(stepSchema).min(1).max(50).optional(),
  weight: z.number().min(0).max(100).optional(),
  holdMs: z.number().int().min(0).optional(),
  limits: partial(judgeLimitsSchema.shape).optional(),
  resources: partial(resourceLimitsSchema.shape).optional(),
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
