import * as z from 'zod'

/** Names of services and releases: they become file names, host names and metric labels. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i,
    'letters, digits, dots, dashes and underscores, at most 63',
  )

/** How an instance shows that it is well. */
export const healthProbeSchema = z.strictObject({
  path: z.string().startsWith('/').max(500).default('/'),
  intervalMs: z.number().int().min(100).default(1000),
  timeoutMs: z.number().int().min(50).default(2000),
  /** Answers in a row that make an instance healthy, and unhealthy. */
  rise: z.number().int().min(1).default(2),
  fall: z.number().int().min(1).default(3),
})
export type HealthProbe = z.infer<typeof healthProbeSchema>

/** What runs: a command without a shell. `PORT` is set by the platform; `{port}` in an argument stands for it too. */
export const commandArtifactSchema = z.strictObject({
  kind: z.literal('command'),
  argv: z.array(z.string().max(10_000)).min(1).max(100),
  env: z.record(z.string().max(200), z.string().max(10_000)).default({}),
  cwd: z.string().max(4000).optional(),
})

/** One immutable version of a service. */
export const releaseSchema = z.object({
  service: nameSchema,
  id: nameSchema,
  artifact: commandArtifactSchema,
  parameters: z.record(z.string().max(200), z.string().max(10_000)).default({}),
  note: z.string().max(2000).default(''),
  createdAtMs: z.number(),
  createdBy: z.string(),
})
export type Release = z.infer<typeof releaseSchema>

export const balancings = [
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'ip_hash',
  'power_of_two',
] as const

/** How requests of a service are spread over releases and instances. */
export const routingSchema = z.strictObject({
  balancing: z.enum(balancings).default('power_of_two'),
  /** Requests with this header, or cookie, of this value go to the candidate whatever the weights. */
  candidateHeader: z
    .strictObject({ name: z.string().min(1).max(100), value: z.string().max(500) })
    .optional(),
  candidateCookie: z
    .strictObject({ name: z.string().min(1).max(100), value: z.string().max(500) })
    .optional(),
  /** Whether a client stays with the release that it got first, as far as the weights allow. */
  isSticky: z.boolean().default(false),
})
export type Routing = z.infer<typeof routingSchema>

/** What instances can run on, and what can split traffic; `edge` is the embedded platform. */
export const targetNames = ['edge'] as const
export type TargetName = (typeof targetNames)[number]
export const routerNames = ['edge'] as const
export type RouterName = (typeof routerNames)[number]

const { ipv4, ipv6, cidrv4, cidrv6 } = z.regexes

/** An IP address, or a range of them by its prefix. */
const addressRangeSchema = z
  .string()
  .max(100)
  .regex(
    new RegExp([ipv4, ipv6, cidrv4, cidrv6].map(({ source }) => source).join('|')),
    'an IP address, or a range such as 10.0.0.0/8',
  )

/** A service as configured. */
export const serviceDefinitionSchema = z.strictObject({
  name: nameSchema,
  /** Names of the adapters that run and route it. */
  target: z.enum(targetNames).default('edge'),
  router: z.enum(routerNames).default('edge'),
  listen: z.strictObject({
    host: z.string().min(1).max(255).default('127.0.0.1'),
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
  /** Longest wait for requests in flight before an instance is stopped, and from SIGTERM to SIGKILL. */
  drainMs: z.number().int().min(0).max(3_600_000).default(30_000),
  graceMs: z.number().int().min(0).max(600_000).default(10_000),
  /** Of one instance; it is restarted above it. */
  memoryLimitBytes: z.number().int().min(1_000_000).nullable().default(null),
})
export type ServiceDefinition = z.infer<typeof serviceDefinitionSchema>

export const instanceStates = ['starting', 'healthy', 'unhealthy', 'draining', 'down'] as const

export const restartSchema = z.object({ atMs: z.number(), reason: z.string() })
export type Restart = z.infer<typeof restartSchema>

export const instanceSchema = z.object({
  id: z.string(),
  releaseId: z.string(),
  state: z.enum(instanceStates),
  /** Why it is in this state, when that is not plain. */
  reason: z.string(),
  pid: z.number().nullable(),
  port: z.number(),
  startedAtMs: z.number(),
  /** How often its process was started again or replaced, and why the last time. */
  restartCount: z.number(),
  lastRestart: restartSchema.nullable().default(null),
  inFlight: z.number(),
  memoryBytes: z.number().nullable(),
})
export type Instance = z.infer<typeof instanceSchema>

/** Figures of a service or one release over the newest window, or NaN-free null where nothing was measured. */
export const sliSchema = z.object({
  windowMs: z.number(),
  requestsPerSecond: z.number(),
  errorRatio: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  inFlight: z.number(),
})
export type Sli = z.infer<typeof sliSchema>

/** The newest requests of a release, as far back as it takes to speak of a share of them. */
export const recentFailuresSchema = z.object({
  requests: z.number(),
  /** How many of them failed. */
  errors: z.number(),
  /** How far back they go. */
  windowMs: z.number(),
})
export type RecentFailures = z.infer<typeof recentFailuresSchema>

/** From this many requests on a share of them says how a release does. */
export const enoughRequests = 100

/** Shares of traffic by release, percent, together 100 (or 0 when nothing is routed). */
export const weightsSchema = z.record(nameSchema, z.number().min(0).max(100))
export type Weights = z.infer<typeof weightsSchema>

/** Where a service was made known: in the configuration file, or over the API. */
export const serviceOrigins = ['file', 'declared'] as const

/** A service as screens see it. */
export const serviceStateSchema = z.object({
  name: nameSchema,
  origin: z.enum(serviceOrigins),
  environment: z.string(),
  target: z.string(),
  router: z.string(),
  /** Where the router listens, e.g. `http://127.0.0.1:8080`. */
  address: z.string(),
  stableReleaseId: z.string().nullable(),
  candidateReleaseId: z.string().nullable(),
  /** Of the running deployment; null when there is none. */
  deploymentId: z.string().nullable(),
  /** As read back from the router, not as wished for. */
  weights: weightsSchema,
  instances: z.array(instanceSchema),
  /** By release; under the empty name those of the whole service. */
  sli: z.record(z.string(), sliSchema),
  /** Of the stable release; null where nothing was asked of it, left out by earlier engines. */
  failures: recentFailuresSchema.nullable().optional(),
  /** Set by an emergency rollback: automation waits until a person resumes it. */
  automationStopped: z.object({ by: z.string(), atMs: z.number(), reason: z.string() }).nullable(),
  /** Share of the stable release's requests that may fail before a person should look, as in the plans of the service. */
  maxErrorRatio: z.number(),
  /** Router or target cannot be reached, or says other than wished: a sentence; empty when all is well. */
  trouble: z.string(),
  /** Grows with each change a person or the engine makes; calls that change something name the one they saw. */
  revision: z.number(),
  updatedAtMs: z.number(),
})
export type ServiceState = z.infer<typeof serviceStateSchema>
