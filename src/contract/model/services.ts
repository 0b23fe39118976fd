import * as z from 'zod'
import { artifactSchema, keptArtifactSchema, keptTextsSchema } from './artifacts.ts'
import { capabilitiesSchema } from './capabilities.ts'
import { edgeServiceSchema } from './edge-service.ts'
import { nameSchema } from './names.ts'
import { actorSchema } from './principal.ts'
import { environmentSchema } from './passed-text.ts'
import { wayBackSchema } from './way-back.ts'

/** One immutable version of a service. */
export const releaseSchema = z.object({
  service: nameSchema,
  id: nameSchema,
  /** As it was once made known: `newReleaseSchema` says what is taken now. */
  artifact: keptArtifactSchema,
  parameters: keptTextsSchema,
  note: z.string().max(2000).default(''),
  createdAtMs: z.number(),
  createdBy: actorSchema,
})
export type Release = z.infer<typeof releaseSchema>

/** What a person says of a release that is not known yet. Parameters are variables of its processes too. */
export const newReleaseSchema = releaseSchema
  .pick({ service: true, id: true, note: true })
  .extend({ artifact: artifactSchema, parameters: environmentSchema })
  .strict()

/**
 * A service as configured: one member for each platform, with the settings that the platform understands. The embedded
 * platform is meant where none is named.
 */
export const serviceDefinitionSchema = z.preprocess(
  (written) =>
    typeof written === 'object' && written !== null && !('platform' in written)
      ? { ...written, platform: 'edge' }
      : written,
  z.discriminatedUnion('platform', [edgeServiceSchema]),
)
export type ServiceDefinition = z.infer<typeof serviceDefinitionSchema>
/** Where instances can run and what can split traffic; `edge` is the embedded platform. */
export type PlatformName = ServiceDefinition['platform']

export const instanceStates = ['starting', 'healthy', 'unhealthy', 'draining', 'down'] as const

export const restartSchema = z.object({
  atMs: z.number(),
  reason: z.string(),
  /** A person asked for it. */
  isPlanned: z.boolean().optional(),
})
export type Restart = z.infer<typeof restartSchema>

/** How an instance is reached, and what it is on its host: one kind for each way to run one. */
const instanceAddressSchema = z.discriminatedUnion('kind', [
  z.object({
    /** A process that listens on a loopback address of its host. */
    kind: z.literal('process'),
    port: z.number(),
    /** Null while none runs. */
    pid: z.number().nullable(),
  }),
])
export type InstanceAddress = z.infer<typeof instanceAddressSchema>

export const instanceSchema = z.object({
  id: z.string(),
  releaseId: z.string(),
  state: z.enum(instanceStates),
  /** Why it is in this state, when that is not plain. */
  reason: z.string(),
  address: instanceAddressSchema,
  startedAtMs: z.number(),
  /** How often its process was started again or replaced, and why the last time. */
  restartCount: z.number(),
  lastRestart: restartSchema.nullable().default(null),
  inFlight: z.number(),
  /** Of all its processes, not of the first alone. */
  memoryBytes: z.number().nullable(),
  /** CPU cores that all its processes use; null where it cannot be measured. */
  cpuCores: z.number().nullable().optional(),
  /** Why what it prints is not kept; left out while it is. */
  logTrouble: z.string().optional(),
})
export type Instance = z.infer<typeof instanceSchema>

/** One line that an instance printed. */
export const logLineSchema = z.object({
  atMs: z.number(),
  instanceId: z.string(),
  releaseId: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
})
export type LogLine = z.infer<typeof logLineSchema>

/** Figures of a service or one release over the newest window, or NaN-free null where nothing was measured. */
const sliSchema = z.object({
  windowMs: z.number(),
  /** Of all requests that ended, those included that clients gave up on. */
  requestsPerSecond: z.number(),
  errorRatio: z.number().nullable(),
  /** Share of requests whose client left without a response; left out by earlier engines. */
  abandonedRatio: z.number().nullable().optional(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  inFlight: z.number(),
})
export type Sli = z.infer<typeof sliSchema>

/** The newest requests of a release, as far back as it takes to speak of a share of them. */
const recentFailuresSchema = z.object({
  /** Those whose outcome is the release's. */
  requests: z.number(),
  /** How many of them failed. */
  errors: z.number(),
  /** Further ones, whose client left without a response; left out by earlier engines. */
  abandoned: z.number().optional(),
  /** How far back they go. */
  windowMs: z.number(),
})
export type RecentFailures = z.infer<typeof recentFailuresSchema>

/** The p95 latency of a release lately, and what is usual for it: that of the minutes in which it was not slower than usual. */
const recentLatencySchema = z.object({
  p95Ms: z.number(),
  /** How far `p95Ms` goes back. */
  windowMs: z.number(),
  usualP95Ms: z.number(),
  /** Whether it is beyond chance that it grew by more than half. */
  isSlower: z.boolean(),
})
export type RecentLatency = z.infer<typeof recentLatencySchema>

/** From this many requests on a share of them says how a release does. */
export const enoughRequests = 100

/** Shares of traffic by release, percent, together 100 (or 0 when nothing is routed). */
export const weightsSchema = z.record(nameSchema, z.number().min(0).max(100))
export type Weights = z.infer<typeof weightsSchema>

/** Where a service was made known: in the configuration file, or over the API. */
const serviceOrigins = ['file', 'declared'] as const

const concernKinds = [
  'not-listening',
  'refused',
  'no-healthy-instance',
  'no-traffic',
  'errors',
  'abandoned',
  'trouble',
  'latency',
  'release-changed',
  'instances-down',
  'restarts',
  'not-kept',
  'logs',
  'automation-stopped',
] as const

/** Something about a service that a person should know. */
const concernSchema = z.object({
  kind: z.enum(concernKinds),
  severity: z.enum(['critical', 'warning']),
  /** A clause that follows the name of the service: "r2 has traffic and no healthy instance". */
  text: z.string(),
  /** The reason as someone else gave it: untrusted text. Empty when there is none. */
  detail: z.string(),
  /** Since when it concerns, whatever its severity. */
  sinceMs: z.number(),
})
export type Concern = z.infer<typeof concernSchema>

/** A service as screens see it. */
export const serviceStateSchema = z.object({
  name: nameSchema,
  origin: z.enum(serviceOrigins),
  environment: z.string(),
  target: z.string(),
  router: z.string(),
  /** Of that target and that router; left out by earlier engines. */
  capabilities: capabilitiesSchema.optional(),
  /** Where the router listens, e.g. `http://127.0.0.1:8080`. */
  address: z.string(),
  stableReleaseId: z.string().nullable(),
  candidateReleaseId: z.string().nullable(),
  /** Of the running deployment; null when there is none. */
  deploymentId: z.string().nullable(),
  /** As read back from the router, not as desired. */
  weights: weightsSchema,
  instances: z.array(instanceSchema),
  /** By release; under the empty name those of the whole service. */
  sli: z.record(z.string(), sliSchema),
  /** Of the stable release; null where nothing was asked of it, left out by earlier engines. */
  failures: recentFailuresSchema.nullable().optional(),
  /** Of the stable release; null where too little was seen to compare, left out by earlier engines. */
  latency: recentLatencySchema.nullable().optional(),
  /** What a person can roll back now; null when there is nothing. Left out by earlier engines. */
  wayBack: wayBackSchema.nullable().optional(),
  /** Set by an emergency rollback: automation waits until a person resumes it. */
  automationStopped: z.object({ by: actorSchema, atMs: z.number(), reason: z.string() }).nullable(),
  /** Share of the stable release's requests that may fail before a person should look, as in the plans of the service. */
  maxErrorRatio: z.number(),
  /** Why the router does not listen at the service's address; left out while it does. */
  listenTrouble: z.string().optional(),
  /** Why the platform refuses the service's settings, of which earlier ones stay in force; left out while it does not. */
  refusal: z.string().optional(),
  /** Releases that the configuration file describes otherwise than they are on record; left out while there are none. */
  changedReleaseIds: z.array(nameSchema).optional(),
  /** What the target cannot keep on its disk now; left out while it can. */
  keepTrouble: z.string().optional(),
  /** What a person should know about it now, worst first. */
  concerns: z.array(concernSchema).default([]),
  /** Router or target cannot be reached, or differs from the desired state: a sentence; empty when all is well. */
  trouble: z.string(),
  /** Grows with each change a person or the engine makes; calls that change something name the one they saw. */
  revision: z.number(),
  updatedAtMs: z.number(),
})
export type ServiceState = z.infer<typeof serviceStateSchema>
