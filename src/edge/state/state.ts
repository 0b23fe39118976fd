import * as z from 'zod'
import {
  edgeReleaseSchema,
  edgeReportSchema,
  guardsSchema,
  keptEdgeDefinitionSchema,
  nameSchema,
  restartSchema,
} from '../../contract/index.ts'

const instanceRecordSchema = z.object({
  id: z.string().max(200),
  releaseId: nameSchema,
  port: z.number(),
  ordinal: z.number().int().min(0).default(0),
  host: z.enum(['127.0.0.1', '::1']).default('127.0.0.1'),
  /** Null between the order to start it and its start. */
  process: z.object({ pid: z.number().int().positive(), identity: z.string() }).nullable(),
  startedAtMs: z.number(),
  restartCount: z.number(),
  lastRestart: restartSchema.nullable().default(null),
  /** Taken up after a restart of the edge as it was, until a check says otherwise. */
  wasHealthy: z.boolean(),
  isStopping: z.boolean(),
})
export type InstanceRecord = z.infer<typeof instanceRecordSchema>

const serviceRecordSchema = z.object({
  definition: keptEdgeDefinitionSchema,
  /** It is being withdrawn: an edge that finds it goes on with that. */
  isLeaving: z.boolean().default(false),
  /** Where it really listens: a free port stays the same over a restart. */
  port: z.number(),
  traffic: edgeReportSchema.extend({ doneKeys: z.array(z.string()) }),
  guards: guardsSchema,
  releases: z.array(
    z.object({
      release: edgeReleaseSchema,
      wanted: z.number(),
      /** Key of the call that asked for it last; empty where an earlier version did not keep it. */
      askedBy: z.string().default(''),
    }),
  ),
  doneKeys: z.array(z.string()),
  instances: z.array(instanceRecordSchema),
  /** Instances that a person wants restarted, in turn; the first may be in progress. */
  restarts: z.array(z.object({ id: z.string().max(200), reason: z.string() })).default([]),
})
export type StoredService = z.infer<typeof serviceRecordSchema>

/** Everything that must survive the edge. */
export const edgeStateSchema = z.object({ services: z.array(serviceRecordSchema) })
export type EdgeState = z.infer<typeof edgeStateSchema>
