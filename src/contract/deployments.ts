import * as z from 'zod'
import { nameSchema } from './services.ts'

export const stepSchema = z.strictObject({
  /** Share of traffic of the candidate, percent. */
  weight: z.number().min(0).max(100),
  holdMs: z.number().int().min(0),
  /** Whether the judge looks at this step; a step without goes on after its hold. */
  analysis: z.boolean().default(true),
  /** Waits for a person before it begins. */
  gate: z.boolean().default(false),
})
export type Step = z.infer<typeof stepSchema>

export const presets = ['conservative', 'balanced', 'aggressive'] as const

/** What happens when the judge cannot say. `pause` of a limit leaves it to the plan's `onInconclusive`. */
export const undecidedPolicies = ['pause', 'promote', 'rollback'] as const

export const judgeLimitsSchema = z.strictObject({
  /** The same as `maxErrorRatio`, said the other way round: in a plan they agree. */
  minSuccessRatio: z.number().min(0).max(1).default(0.99),
  maxErrorRatio: z.number().min(0).max(1).default(0.01),
  /** Of the candidate's p95 against the stable release's: 0.2 is 20 % slower. */
  maxLatencyRegression: z.number().min(0).default(0.2),
  /** Error ratio of the candidate over the stable release's from which it is worse, whatever the absolute limits. */
  maxErrorRatioToStable: z.number().min(1).default(2),
  minSamples: z.number().int().min(1).default(100),
  warmUpMs: z.number().int().min(0).default(30_000),
  /** Bins in a row over a limit that decide. */
  strikes: z.number().int().min(1).default(3),
  onNoTraffic: z.enum(undecidedPolicies).default('pause'),
  onNoData: z.enum(undecidedPolicies).default('pause'),
})
export type JudgeLimits = z.infer<typeof judgeLimitsSchema>

const greatestUse = z.number().min(0).max(1).nullable().default(null)

/**
 * How full a host may be for a deployment to begin and for each step of it: what is in use, as a share of all there is, CPU and memory as a mean
 * over half a minute. Null does not look.
 */
export const resourceLimitsSchema = z.strictObject({
  maxCpuRatio: greatestUse,
  maxMemoryRatio: greatestUse,
  /** Of the fullest filesystem. */
  maxDiskRatio: greatestUse,
})
export type ResourceLimits = z.infer<typeof resourceLimitsSchema>

/** Stands where something is not shown because it may be secret. */
export const hiddenText = '••••••'

/** A POST of what a script learns as JSON; any 2xx is success. An address that holds a secret is named by where it is kept. */
const webhookSchema = z
  .strictObject({
    kind: z.literal('webhook'),
    url: z
      .url()
      .max(2000)
      .refine((url) => !url.includes(hiddenText), 'an address in full, not as it is shown')
      .optional(),
    urlEnv: z
      .string()
      .regex(/^[A-Za-z_]\w{0,199}$/, 'the name of an environment variable')
      .optional(),
    urlFile: z.string().min(1).max(4000).optional(),
  })
  .refine(
    ({ url, urlEnv, urlFile }) => [url, urlEnv, urlFile].filter((place) => place !== undefined).length === 1,
    'the address of a webhook stands in one place: url, urlEnv or urlFile',
  )
export type Webhook = z.infer<typeof webhookSchema>

export const hookPhases = ['validating', 'staging', 'stepping', 'promoting', 'rolling_back'] as const

/**
 * Something of the operator's own that runs before or after a phase (before and after each step for `stepping`). Those
 * of `rolling_back` never delay traffic: both run when it has returned.
 */
export const hookSchema = z.strictObject({
  name: z.string().min(1).max(100),
  when: z.enum(['before', 'after']),
  phase: z.enum(hookPhases),
  run: z.discriminatedUnion('kind', [
    /** Without a shell; the deployment is described in the environment (`PILOTHOUSE_SERVICE`, ...). */
    z.strictObject({ kind: z.literal('script'), argv: z.array(z.string().max(10_000)).min(1).max(100) }),
    webhookSchema,
  ]),
  timeoutMs: z.number().int().min(100).max(3_600_000).default(30_000),
  onFailure: z.enum(['continue', 'pause', 'rollback']).default('pause'),
})
export type Hook = z.infer<typeof hookSchema>

/** Everything that was decided before a deployment began; kept with it, never changed. */
export const planSchema = z.object({
  strategy: z.literal('canary'),
  preset: z.enum(presets).nullable(),
  steps: z.array(stepSchema).min(1).max(50),
  limits: judgeLimitsSchema,
  metricsEveryMs: z.number().int().min(1000),
  onFailure: z.enum(['rollback', 'pause']),
  onInconclusive: z.enum(undecidedPolicies),
  maxTimeMs: z.number().int().min(1000),
  /** Longest wait for the candidate to become healthy. */
  progressDeadlineMs: z.number().int().min(1000),
  instances: z.number().int().min(1).max(1000),
  /** How many instances may be starting at the same time. */
  startAtOnce: z.number().int().min(1).max(1000),
  skipAnalysis: z.boolean(),
  /** Stable is known to be broken: compare with absolute limits only. */
  isFix: z.boolean(),
  keepStableWarmMs: z.number().int().min(0),
  hooks: z.array(hookSchema).max(100),
  /** The way back after a promotion: only what could keep the release from running at all forbids it. */
  isUndo: z.boolean().optional(),
  /** Left out in plans of earlier versions, which did not look. */
  resources: resourceLimitsSchema.optional(),
})
export type Plan = z.infer<typeof planSchema>

export const deploymentPhases = [
  'validating',
  'staging',
  'stepping',
  'paused',
  'promoting',
  'promoted',
  'rolling_back',
  'rolled_back',
  'failed',
] as const
export type DeploymentPhase = (typeof deploymentPhases)[number]

export const checkResultSchema = z.object({
  name: z.string(),
  critical: z.boolean(),
  outcome: z.enum(['passed', 'warning', 'failed']),
  text: z.string(),
  /** What the check printed, cut at 64 kB. */
  output: z.string(),
  durationMs: z.number(),
  attempts: z.number(),
})
export type CheckResult = z.infer<typeof checkResultSchema>

export const validationSchema = z.object({
  canDeploy: z.boolean(),
  results: z.array(checkResultSchema),
  passed: z.number(),
  failed: z.number(),
  warnings: z.number(),
  durationMs: z.number(),
})
export type Validation = z.infer<typeof validationSchema>

/** One line of evidence behind a judgement, for a person. */
export const findingSchema = z.object({
  metric: z.enum(['errors', 'latency_p50', 'latency_p95', 'latency_p99', 'traffic', 'data', 'saturation']),
  unit: z.enum(['ratio', 'ms', 'count']),
  candidate: z.number().nullable(),
  stable: z.number().nullable(),
  limit: z.number().nullable(),
  verdict: z.enum(['worse', 'same', 'better', 'unclear']),
  /** First of the judgements in a row that found it worse; of what is not worse, this judgement. */
  sinceMs: z.number(),
  /** A whole sentence: "r43 fails 2.4 % of requests, r42 0.3 %; the limit is 1 %". */
  text: z.string(),
})
export type Finding = z.infer<typeof findingSchema>

export const judgementSchema = z.object({
  decision: z.enum(['continue', 'promote', 'rollback', 'inconclusive']),
  /** A whole sentence that a person reads first. */
  text: z.string(),
  findings: z.array(findingSchema),
  atMs: z.number(),
})
export type Judgement = z.infer<typeof judgementSchema>

/** Who acts when nobody does: name of the engine in logs and audit. */
export const engineActor = 'pilothouse'

export const logEntrySchema = z.object({
  atMs: z.number(),
  severity: z.enum(['info', 'ok', 'warning', 'critical']),
  actor: z.string(),
  text: z.string(),
})
export type LogEntry = z.infer<typeof logEntrySchema>

/** How far a deployment had come when it was taken back. */
export const reachedSchema = z.object({
  /** Index into the plan's steps; their count where it was past them. */
  stepIndex: z.number(),
  /** Of the candidate, verified, percent. */
  weight: z.number(),
})

/** Why a deployment waits; only a person ends that. */
export const pauseCauses = ['person', 'gate', 'inconclusive', 'failure', 'hook'] as const
export type PauseCause = (typeof pauseCauses)[number]

/** A deployment as screens see it; its events are kept apart and replayed by the engine. */
export const deploymentSchema = z.object({
  id: z.string(),
  service: nameSchema,
  stableReleaseId: z.string().nullable(),
  candidateReleaseId: nameSchema,
  phase: z.enum(deploymentPhases),
  /** Null when it is not paused; an engine before this field told of none. */
  pauseCause: z.enum(pauseCauses).nullable().default(null),
  /** Why it is in this phase: a sentence. */
  reason: z.string(),
  plan: planSchema,
  stepIndex: z.number(),
  stepStartedAtMs: z.number().nullable(),
  /** Null for what goes forward or never had traffic; left out by earlier versions. */
  reached: reachedSchema.nullable().optional(),
  /** Of the candidate, as wished; the service's state has what the router says. */
  weight: z.number(),
  validation: validationSchema.nullable(),
  judgement: judgementSchema.nullable(),
  log: z.array(logEntrySchema),
  createdBy: z.string(),
  why: z.string(),
  createdAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  revision: z.number(),
})
export type Deployment = z.infer<typeof deploymentSchema>

/** Counts of one bin and release, as a judge is fed: latencies as a histogram over `latencyBoundsMs`. */
export const binSchema = z.object({
  /** Begin of the bin, wall time of the router, and how long it really took: more than nominal after a suspend. */
  atMs: z.number(),
  durationMs: z.number(),
  releaseId: z.string(),
  /** Attempts that ended in this bin, retries counted each; `errors` and `timeouts` are among them. */
  requests: z.number(),
  /** 5xx answers, broken connections and timeouts. */
  errors: z.number(),
  timeouts: z.number(),
  /** At the end of the bin: attempts that have not ended, and the age of the oldest. */
  inFlight: z.number(),
  oldestInFlightMs: z.number(),
  latencyCounts: z.array(z.number()),
})
export type Bin = z.infer<typeof binSchema>

/** Upper bounds of the latency histogram, ms: 8 a doubling from 0.25 ms to 65 s, the last bin is open. */
export const latencyBoundsMs: readonly number[] = Array.from({ length: 145 }, (_, k) => 0.25 * 2 ** (k / 8))

export const auditEntrySchema = z.object({
  seq: z.number(),
  atMs: z.number(),
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  why: z.string(),
  details: z.record(z.string(), z.unknown()),
  /** Hash of the entry before, and of this one with it (SHA-256, hexadecimal). */
  previousHash: z.string(),
  hash: z.string(),
})
export type AuditEntry = z.infer<typeof auditEntrySchema>
