import * as z from 'zod'
import { binSchema } from '../model/deployments.ts'
import { keptCommandArtifactSchema } from '../model/artifacts.ts'
import { edgeDefinitionSchema } from '../model/edge-service.ts'
import { errorCodes } from '../../base/index.ts'
import { processText } from '../model/passed-text.ts'
import { nameSchema } from '../model/names.ts'
import { actorSchema } from '../model/principal.ts'
import { instanceSchema, releaseSchema, weightsSchema } from '../model/services.ts'

/** Identity of a request: the same key asks for the same thing again. */
const keySchema = z.string().min(1).max(200)

/** Requests of one release that fail open its circuit; it is then left out of the split until probes succeed. */
export const breakerSchema = z.strictObject({
  /** Share of failures among the newest `window` attempts from which it opens. */
  failureRatio: z.number().gt(0).max(1).default(0.5),
  window: z.number().int().min(1).max(10_000).default(100),
  /** Fewer attempts than this decide nothing. */
  minAttempts: z.number().int().min(1).max(10_000).default(100),
  openMs: z.number().int().min(1).default(60_000),
  /** Attempts let through when half open: all must succeed. */
  probes: z.number().int().min(1).max(1000).default(10),
})
export type BreakerSettings = z.infer<typeof breakerSchema>

/** What protects a service at the proxy; each part null when it is off. */
export const guardsSchema = z.strictObject({
  breaker: breakerSchema.nullable().default(null),
  /** Releases whose circuit a person or an action holds open. */
  openCircuits: z.array(nameSchema).max(100).default([]),
  rateLimit: z
    .strictObject({
      requestsPerSecond: z.number().gt(0).max(1e6),
      burst: z.number().int().min(1).max(1e6),
      per: z.enum(['service', 'client']).default('service'),
    })
    .nullable()
    .default(null),
  /** Refuses this share of requests, percent; those of an urgency (RFC 9218, 0 first to 7 last) below the limit pass. */
  shedding: z
    .strictObject({
      percent: z.number().min(0).max(100),
      sparesUrgencyBelow: z.number().int().min(0).max(8).default(0),
    })
    .nullable()
    .default(null),
  /** Only these client addresses (IP or CIDR) are served. */
  lockdown: z
    .strictObject({ allow: z.array(z.string().max(100)).max(1000) })
    .nullable()
    .default(null),
})
export type Guards = z.infer<typeof guardsSchema>

/** A release on the wire: an edge runs commands. */
export const edgeReleaseSchema = releaseSchema.extend({
  artifact: keptCommandArtifactSchema,
  /** A name: an edge of any version keeps it, and none reads it. */
  createdBy: z.string(),
})
export type EdgeRelease = z.infer<typeof edgeReleaseSchema>

/** An instance on the wire: its address is that of a process, in two fields of its own. */
const edgeInstanceSchema = instanceSchema
  .omit({ address: true })
  .extend({ pid: z.number().nullable(), port: z.number() })
export type EdgeInstance = z.infer<typeof edgeInstanceSchema>

export const edgeReportSchema = z.object({
  weights: weightsSchema,
  fallbackReleaseId: nameSchema.nullable(),
  revision: z.number(),
  key: z.string(),
  emergency: z.object({ key: z.string(), atMs: z.number() }).nullable(),
})
export type EdgeReport = z.infer<typeof edgeReportSchema>

/** A bin on the wire: its histogram as [index, count] of what is not zero. */
export const edgeBinSchema = binSchema
  .omit({ latencyCounts: true })
  .extend({ latencies: z.array(z.tuple([z.number(), z.number()])) })
export type EdgeBin = z.infer<typeof edgeBinSchema>

/** What a bin counts, without when, and without what is in progress at its end. */
export const edgeCountsSchema = edgeBinSchema.omit({
  atMs: true,
  durationMs: true,
  inFlight: true,
  oldestInFlightMs: true,
  longInFlight: true,
  unanswered: true,
  oldestUnansweredMs: true,
  stalled: true,
})
export type EdgeCounts = z.infer<typeof edgeCountsSchema>

const procedure = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => ({ input, output })
const service = z.strictObject({ service: nameSchema })
const nothing = z.strictObject({})

/**
 * What the edge's admin socket answers: `POST /v1/NAME` with the input as JSON gives the output, or
 * `edgeFailureSchema` with the status of its code.
 */
export const edgeProcedures = {
  status: procedure(
    nothing,
    z.object({
      version: z.string(),
      pid: z.number(),
      startedAtMs: z.number(),
      /** What the edge cannot write to its disk now, and instances that it knows no service of, as sentences. */
      trouble: z.string().default(''),
      /** What was wrong with the state on the disk when this edge started, as sentences; empty when nothing was. */
      damage: z.string().default(''),
      services: z.array(z.object({ name: nameSchema, address: z.string(), instances: z.number() })),
    }),
  ),
  declare: procedure(z.strictObject({ definition: edgeDefinitionSchema }), z.object({ address: z.string() })),
  /** The service ends: no requests any more, its instances drained and stopped, nothing kept of it but its logs. */
  withdraw: procedure(service, nothing),
  ensure: procedure(
    z.strictObject({
      service: nameSchema,
      release: edgeReleaseSchema,
      instances: z.number().int().min(0).max(1000),
      key: keySchema,
    }),
    nothing,
  ),
  observe: procedure(
    service,
    z.object({
      instances: z.array(edgeInstanceSchema),
      wanted: z.record(z.string(), z.number()),
      /** Key of the call that asked for them last, by release; an edge of an earlier version does not tell. */
      askedBy: z.record(z.string(), z.string()).default({}),
      /** Why the service does not listen at its address; empty while it does. */
      listenTrouble: z.string().default(''),
      /** What the edge cannot write to its disk now, as sentences; empty while it can. */
      trouble: z.string().default(''),
    }),
  ),
  /** Restarts the instances that are meant, one at a time; answered before the first one has restarted. */
  restart: procedure(
    z.strictObject({
      service: nameSchema,
      releaseId: nameSchema.optional(),
      instanceId: z.string().max(200).optional(),
      by: z.string().max(200),
    }),
    z.object({ instanceIds: z.array(z.string()) }),
  ),
  remove: procedure(
    z.strictObject({
      service: nameSchema,
      releaseId: nameSchema,
      /** Only while that call was the last to ask for the release; otherwise nothing happens. */
      askedBy: keySchema.optional(),
      key: keySchema,
    }),
    nothing,
  ),
  logs: procedure(
    z.strictObject({
      service: nameSchema,
      releaseId: nameSchema.optional(),
      instanceId: z.string().max(200).optional(),
      lines: z.number().int().min(1).max(10_000),
    }),
    z.array(
      z.object({
        atMs: z.number(),
        instanceId: z.string(),
        releaseId: z.string(),
        stream: z.enum(['stdout', 'stderr']),
        text: z.string(),
      }),
    ),
  ),
  weights: procedure(service, edgeReportSchema),
  setWeights: procedure(
    z.strictObject({
      service: nameSchema,
      weights: weightsSchema,
      fallbackReleaseId: nameSchema.nullable(),
      expectedRevision: z.number().int().min(0),
      key: keySchema,
      endsEmergency: z.boolean(),
    }),
    /** `isKept` is false while it is not on the disk: an edge that restarts does not know of it. */
    edgeReportSchema.extend({ isKept: z.boolean().default(true) }),
  ),
  emergency: procedure(
    z.strictObject({
      orders: z
        .array(z.strictObject({ service: nameSchema, key: keySchema, toReleaseId: nameSchema.optional() }))
        .max(10_000),
    }),
    z.array(
      z.discriminatedUnion('ok', [
        z.object({
          ok: z.literal(true),
          value: edgeReportSchema,
          /** False when it holds now and is not on the disk: an edge that restarts does not know of it. */
          isKept: z.boolean().default(true),
        }),
        z.object({ ok: z.literal(false), code: z.enum(errorCodes), message: z.string() }),
      ]),
    ),
  ),
  bins: procedure(
    z.strictObject({ service: nameSchema, cursor: z.string().max(100).nullable() }),
    z.object({ bins: z.array(edgeBinSchema), cursor: z.string() }),
  ),
  guards: procedure(
    service,
    z.object({
      guards: guardsSchema,
      /** By release: closed, open or half_open. */
      circuits: z.record(z.string(), z.enum(['closed', 'open', 'half_open'])),
    }),
  ),
  setGuards: procedure(z.strictObject({ service: nameSchema, guards: guardsSchema }), nothing),
  /**
   * A new process of `command args --directory PATH` becomes the edge, and this one ends when its requests have, or
   * after ten minutes, when it cuts what is left. Answered when the new one serves; when it does not come to that, this one goes on as before.
   */
  handover: procedure(
    z.strictObject({
      command: processText(4096).min(1),
      args: z.array(processText(4096)).max(100),
      /** Who ordered it, and the version of the program, for the audit log. */
      by: actorSchema.or(z.string().max(200)).optional(),
      version: z.string().max(100).optional(),
    }),
    z.object({ pid: z.number() }),
  ),
  /** Ends the edge; with `instances` also all that it runs. */
  stop: procedure(
    z.strictObject({ instances: z.boolean(), by: actorSchema.or(z.string().max(200)).optional() }),
    nothing,
  ),
} as const

export type EdgeProcedure = keyof typeof edgeProcedures
export type EdgeInput<P extends EdgeProcedure> = z.infer<(typeof edgeProcedures)[P]['input']>
export type EdgeOutput<P extends EdgeProcedure> = z.infer<(typeof edgeProcedures)[P]['output']>

/** In the details of a failure: the call was not begun, as another edge serves at the same address now. */
export const movedDetail = 'hasMoved'

export const edgeFailureSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).default({}),
})
export type EdgeFailureBody = z.infer<typeof edgeFailureSchema>
