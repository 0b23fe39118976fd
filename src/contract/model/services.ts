import * as z from 'zod'
import { artifactSchema, keptArtifactSchema, keptTextsSchema } from './artifacts.ts'
import { capabilitiesSchema } from './capabilities.ts'
import {
  cookieValueSchema,
  environmentSchema,
  headerValueSchema,
  hostNameSchema,
  processText,
  requestPathSchema,
  tokenSchema,
} from './passed-text.ts'
import { wayBackSchema } from './way-back.ts'

/** Names of services and releases: they become file names, host names and metric labels. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i,
    'letters, digits, dots, dashes and underscores, at most 63',
  )

/** How the health of an instance is checked. */
const healthProbeSchema = z.strictObject({
  path: requestPathSchema.max(500).default('/'),
  intervalMs: z.number().int().min(100).default(1000),
  timeoutMs: z.number().int().min(50).default(2000),
  /** Answers in a row that make an instance healthy, and unhealthy. */
  rise: z.number().int().min(1).default(2),
  fall: z.number().int().min(1).default(3),
  /**
   * How long an instance may be unhealthy before it is restarted; while it starts, five times as long. Null never
   * restarts it.
   */
  restartAfterMs: z.number().int().min(1000).max(86_400_000).nullable().default(60_000),
  /** The Host header of the check; null sends the address of the instance. */
  host: z
    .string()
    .regex(/^[\w.~!$&'()*+,;=%:[\]-]{1,255}$/, 'a host name, with or without a port')
    .nullable()
    .default(null),
})
export type HealthProbe = z.infer<typeof healthProbeSchema>

/** One immutable version of a service. */
export const releaseSchema = z.object({
  service: nameSchema,
  id: nameSchema,
  /** As it was once made known: `newReleaseSchema` says what is taken now. */
  artifact: keptArtifactSchema,
  parameters: keptTextsSchema,
  note: z.string().max(2000).default(''),
  createdAtMs: z.number(),
  createdBy: z.string(),
})
export type Release = z.infer<typeof releaseSchema>

/** What a person says of a release that is not known yet. Parameters are variables of its processes too. */
export const newReleaseSchema = releaseSchema
  .pick({ service: true, id: true, note: true })
  .extend({ artifact: artifactSchema, parameters: environmentSchema })
  .strict()

export const balancings = [
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'ip_hash',
  'power_of_two',
] as const

/** How requests of a service are spread over releases and instances. */
const routingSchema = z.strictObject({
  balancing: z.enum(balancings).default('power_of_two'),
  /** Requests with this header, or cookie, of this value go to the candidate whatever the weights. */
  candidateHeader: z.strictObject({ name: tokenSchema, value: headerValueSchema }).optional(),
  candidateCookie: z.strictObject({ name: tokenSchema, value: cookieValueSchema }).optional(),
  /** Whether a client stays with the release that it got first, as far as the weights allow. */
  isSticky: z.boolean().default(false),
  /**
   * Weights of the instances of each release, in the order in which they were started; 1 for those beyond the list.
   * `round_robin` ignores them.
   */
  instanceWeights: z.array(z.number().gt(0).max(1000)).max(1000).default([]),
})
export type Routing = z.infer<typeof routingSchema>

/** Where instances can run and what can split traffic; `edge` is the embedded platform. */
const platformNames = ['edge'] as const
export type PlatformName = (typeof platformNames)[number]

const { ipv4, ipv6, cidrv4, cidrv6 } = z.regexes

/** An IP address, or a range of them by its prefix. */
const addressRangeSchema = z
  .string()
  .max(100)
  .regex(
    new RegExp([ipv4, ipv6, cidrv4, cidrv6].map(({ source }) => source).join('|')),
    'an IP address, or a range such as 10.0.0.0/8',
  )

/** How long the proxy waits; null waits without end. */
export const timeoutsSchema = z.strictObject({
  connectMs: z.number().int().min(50).max(600_000).default(2000),
  /** For a free connection to an instance when all are in use: 503 after it. */
  queueMs: z.number().int().min(50).max(600_000).default(10_000),
  /** From the request to the head of the response: 504 after it. */
  responseMs: z.number().int().min(50).max(86_400_000).default(60_000),
  /** Between two pieces of a response that has begun. */
  idleMs: z.number().int().min(50).max(86_400_000).nullable().default(60_000),
  /** A WebSocket on which nothing moves. */
  webSocketIdleMs: z.number().int().min(100).max(604_800_000).nullable().default(3_600_000),
  /** From the first byte of a request to the end of its headers, and to the end of its body. */
  requestHeadersMs: z.number().int().min(100).max(600_000).default(10_000),
  requestMs: z.number().int().min(100).max(86_400_000).nullable().default(300_000),
  /** A client connection on which nothing moves while no response is awaited. */
  clientIdleMs: z.number().int().min(100).max(86_400_000).default(120_000),
})
export type Timeouts = z.infer<typeof timeoutsSchema>

/** How much clients may ask of the proxy, and how much the proxy asks of an instance. */
export const proxyLimitsSchema = z.strictObject({
  /** Above: 413. */
  maxBodyBytes: z
    .number()
    .int()
    .min(0)
    .default(2 ** 30),
  /** Request line and header fields together, bytes; fields, number. Above: 431. */
  maxHeaderBytes: z.number().int().min(1024).max(1_048_576).default(16_384),
  maxHeaderCount: z.number().int().min(10).max(2000).default(100),
  /** Client connections of the service; further ones are closed at once. */
  maxClientConnections: z.number().int().min(1).max(1_000_000).default(10_000),
  /** Requests that one instance works on at a time, and how many more may wait for it. Above both: 503. */
  maxInstanceConnections: z.number().int().min(1).max(100_000).default(1024),
  maxInstanceQueue: z.number().int().min(0).max(100_000).default(1024),
  /** Attempts of a request that may be repeated, the first included. */
  maxAttempts: z.number().int().min(1).max(10).default(3),
})
export type ProxyLimits = z.infer<typeof proxyLimitsSchema>

/** Name or number of a user or group; never one that a command would take for an option. */
const accountNameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/)

/** A service as configured. */
export const serviceDefinitionSchema = z.strictObject({
  name: nameSchema,
  /** The platforms that run and route it. */
  target: z.enum(platformNames).default('edge'),
  router: z.enum(platformNames).default('edge'),
  listen: z.strictObject({
    host: hostNameSchema.default('127.0.0.1'),
    /** 0 takes a free port. */
    port: z.number().int().min(0).max(65_535).default(0),
    /**
     * Who is believed about where a request came from (`X-Forwarded-*`, `X-Real-IP`, `Forwarded`): proxies in front.
     * What others say of it is dropped. This machine alone unless told otherwise: a proxy that ends TLS runs on it.
     */
    trustedProxies: z.array(addressRangeSchema).max(100).default(['127.0.0.0/8', '::1']),
  }),
  routing: routingSchema.prefault({}),
  health: healthProbeSchema.prefault({}),
  timeouts: timeoutsSchema.prefault({}),
  limits: proxyLimitsSchema.prefault({}),
  /** Longest wait for requests in flight before an instance is stopped, and from SIGTERM to SIGKILL. */
  drainMs: z.number().int().min(0).max(3_600_000).default(30_000),
  graceMs: z.number().int().min(0).max(600_000).default(10_000),
  /** Of one instance; it is restarted above it. */
  memoryLimitBytes: z.number().int().min(1_000_000).nullable().default(null),
  /** Who its instances, checks and hooks run as; null is the user of the platform, which must be root otherwise. */
  user: accountNameSchema.nullable().default(null),
  /** Null is the user's own. */
  group: accountNameSchema.nullable().default(null),
  /**
   * Where releases without a `cwd` of their own run: the directory of the config file that names the service. Null for
   * a service from elsewhere; its releases run in a directory of the platform's own.
   */
  workingDirectory: processText(4000).nullable().default(null),
})
export type ServiceDefinition = z.infer<typeof serviceDefinitionSchema>

const keptPair = z.strictObject({ name: z.string(), value: z.string() }).optional()

/** A service as it was once configured: an earlier version may have taken texts that are refused now. */
export const keptDefinitionSchema = serviceDefinitionSchema.extend({
  listen: serviceDefinitionSchema.shape.listen.extend({ host: z.string().default('127.0.0.1') }),
  routing: routingSchema.extend({ candidateHeader: keptPair, candidateCookie: keptPair }).prefault({}),
  health: healthProbeSchema.extend({ path: z.string().default('/') }).prefault({}),
})

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
  /** The reason as somebody else gave it: untrusted text. Empty when there is none. */
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
  automationStopped: z.object({ by: z.string(), atMs: z.number(), reason: z.string() }).nullable(),
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
