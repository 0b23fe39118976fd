import * as z from 'zod'
import {
  connectionCountsSchema,
  hostSchema,
  hostStateSchema,
  processSchema,
  seriesQualitySchema,
} from '../model/telemetry.ts'
import { hostId } from './inputs.ts'
import { procedure } from './procedure.ts'

export const hosts = {
  list: procedure('state.read')
    .route({ method: 'GET', path: '/hosts', summary: 'All hosts with health and data quality' })
    .output(z.array(hostSchema.extend(hostStateSchema.shape))),
  quality: procedure('state.read')
    .route({ method: 'GET', path: '/hosts/{hostId}/quality', summary: 'Data quality of each series' })
    .input(z.strictObject({ hostId }))
    .output(z.array(seriesQualitySchema)),
}

export const processes = {
  top: procedure('processes.read')
    .route({ method: 'GET', path: '/hosts/{hostId}/processes', summary: 'Processes by CPU or memory' })
    .input(
      z.strictObject({
        hostId,
        by: z.enum(['cpu', 'memory']).default('cpu'),
        limit: z.coerce.number().int().min(1).max(500).default(20),
      }),
    )
    .output(z.array(processSchema)),
  get: procedure('processes.read')
    .route({ method: 'GET', path: '/hosts/{hostId}/processes/{pid}', summary: 'One process' })
    .input(z.strictObject({ hostId, pid: z.coerce.number().int().positive() }))
    .output(processSchema),
}

export const connections = {
  count: procedure('processes.read')
    .route({
      method: 'GET',
      path: '/hosts/{hostId}/connections',
      summary: 'TCP connections by state, on demand',
    })
    .input(z.strictObject({ hostId }))
    .output(connectionCountsSchema),
}
