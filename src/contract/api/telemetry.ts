import * as z from 'zod'
import { chartSchema, trendSchema } from '../model/telemetry.ts'
import { hostId } from './inputs.ts'
import { procedure } from './procedure.ts'

export const telemetry = {
  chart: procedure('state.read')
    .route({ method: 'POST', path: '/telemetry/chart', summary: 'Points of series over a time range' })
    .input(
      z.strictObject({
        hostId,
        seriesIds: z.array(z.number().int().nonnegative()).min(1).max(64),
        fromMs: z.number(),
        toMs: z.number(),
        maxPoints: z.number().int().min(2).max(5000).default(1000),
      }),
    )
    .output(chartSchema),
  trends: procedure('state.read')
    .route({
      method: 'POST',
      path: '/telemetry/trends',
      summary: 'Trends of series over the latest window',
    })
    .input(
      z.strictObject({
        hostId,
        seriesIds: z.array(z.number().int().nonnegative()).min(1).max(200),
        /** At most the hour that is kept in memory. */
        windowMs: z.number().int().min(10_000).max(3_600_000).default(900_000),
      }),
    )
    .output(z.array(z.object({ seriesId: z.number(), trend: trendSchema.nullable() }))),
}
