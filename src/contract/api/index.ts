import * as z from 'zod'
import { operations } from './operations.ts'
import { procedure } from './procedure.ts'
import {
  chartSchema,
  connectionCountsSchema,
  hostSchema,
  hostStateSchema,
  processSchema,
  seriesQualitySchema,
  trendSchema,
} from '../model/telemetry.ts'
import { timeZoneNames } from '../words/time.ts'

const configEntriesSchema = z.object({
  file: z.string().nullable(),
  environment: z.string(),
  /** In which zone times are shown, unless the viewer says otherwise. */
  timeZone: z.enum(timeZoneNames).default('local'),
  entries: z.array(
    z.object({
      /** Dotted path of the option. */
      path: z.string(),
      /** As text; secrets are masked. */
      value: z.string(),
      /** `default`, `file pilothouse.yaml:3:7`, `environment PILOTHOUSE_…`, `flag --port`. */
      origin: z.string(),
      isDefault: z.boolean(),
      /** When a change takes effect: at once, after a restart, or not in this program at all. */
      effect: z.enum(['live', 'restart', 'unused']).default('live'),
      /** What holds until a restart, as text; null when `value` does. */
      running: z.string().nullable().default(null),
    }),
  ),
})
export type ConfigEntries = z.infer<typeof configEntriesSchema>

const hostId = z.string().min(1).max(200).describe('Id of a host; `local` is this machine.')

/** The table every transport, client, permission check and document is made from. */
export const contract = {
  ...operations,
  hosts: {
    list: procedure
      .route({ method: 'GET', path: '/hosts', summary: 'All hosts with health and data quality' })
      .output(z.array(hostSchema.extend(hostStateSchema.shape))),
    quality: procedure
      .route({ method: 'GET', path: '/hosts/{hostId}/quality', summary: 'Data quality of each series' })
      .input(z.strictObject({ hostId }))
      .output(z.array(seriesQualitySchema)),
  },
  telemetry: {
    chart: procedure
      .route({ method: 'POST', path: '/telemetry/chart', summary: 'Points of series over a range' })
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
    trends: procedure
      .route({
        method: 'POST',
        path: '/telemetry/trends',
        summary: 'Where series are heading, from the newest window',
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
  },
  config: {
    show: procedure
      .route({
        method: 'GET',
        path: '/config',
        summary: 'The effective configuration, each value with its origin',
      })
      .output(configEntriesSchema),
  },
  processes: {
    top: procedure
      .route({ method: 'GET', path: '/hosts/{hostId}/processes', summary: 'Processes by CPU or memory' })
      .input(
        z.strictObject({
          hostId,
          by: z.enum(['cpu', 'memory']).default('cpu'),
          limit: z.coerce.number().int().min(1).max(500).default(20),
        }),
      )
      .output(z.array(processSchema)),
    get: procedure
      .route({ method: 'GET', path: '/hosts/{hostId}/processes/{pid}', summary: 'One process' })
      .input(z.strictObject({ hostId, pid: z.coerce.number().int().positive() }))
      .output(processSchema),
  },
  connections: {
    count: procedure
      .route({
        method: 'GET',
        path: '/hosts/{hostId}/connections',
        summary: 'TCP connections by state, on demand',
      })
      .input(z.strictObject({ hostId }))
      .output(connectionCountsSchema),
  },
}
export type Contract = typeof contract
