import * as z from 'zod'
import { nameSchema } from '../model/names.ts'
import { newReleaseSchema, releaseSchema } from '../model/services.ts'
import { procedure } from './procedure.ts'

const differenceSchema = z.object({
  path: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
})

const comparisonSchema = z.object({
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

export const releases = {
  list: procedure('state.read')
    .route({
      method: 'GET',
      path: '/services/{service}/releases',
      summary: 'Releases of a service, newest first',
    })
    .input(
      z.strictObject({ service: nameSchema, limit: z.coerce.number().int().min(1).max(500).default(50) }),
    )
    .output(z.array(releaseSchema)),
  create: procedure('releases.write', { isOrder: true })
    .route({
      method: 'POST',
      path: '/services/{service}/releases',
      summary: 'Create a release; nothing starts yet',
    })
    .input(newReleaseSchema)
    .output(releaseSchema),
  compare: procedure('state.read')
    .route({
      method: 'GET',
      path: '/services/{service}/compare',
      summary: 'Differences between two releases',
    })
    .input(z.strictObject({ service: nameSchema, from: nameSchema, to: nameSchema }))
    .output(comparisonSchema),
}
