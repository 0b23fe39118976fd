import * as z from 'zod'
import { argvSchema, isWebAddress, processText, webAddressWords } from './passed-text.ts'
import { nameSchema } from './names.ts'
import { actorSchema } from './principal.ts'
import { logLineSchema } from './services.ts'

export const stepSchema = z.strictObject({
  /** Share of traffic of the candidate, percent. */
  weight: z.number().min(0).max(100),
  holdMs: z.number().int().min(0),
  /** Whether this step is judged. A step that is not judged ends with its hold. */
  analysis: z.boolean().default(true),
  /** Waits for a person's approval before it starts. */
  gate: z.boolean().default(false),
})
export type Step = z.infer<typeof stepSchema>

export const presets = ['conservative', 'balanced', 'aggressive'] as const

/** What happens when the result is inconclusive. `pause` of a limit leaves it to the plan's `onInconclusive`. */
export const undecidedPolicies = ['pause', 'promote', 'rollback'] as const

export const judgeLimitsSchema = z.strictObject({
  /** The complement of `maxErrorRatio`; in a plan the two agree. */
  minSuccessRatio: z.number().min(0).max(1).default(0.99),
  maxErrorRatio: z.number().min(0).max(1).default(0.01),
  /** Of the candidate's p95 against the stable release's: 0.2 is 20 % slower. */
  maxLatencyRegression: z.number().min(0).default(0.2),
  /** Error ratio of the candidate over the stable release's from which it is worse, whatever the absolute limits. */
  maxErrorRatioToStable: z.number().min(1).default(2),
  minSamples: z.number().int().min(1).default(100),
  warmUpMs: z.number().int().min(0).default(30_000),
  /** Consecutive failures (judgments over the same limit) that roll a candidate back. */
  strikes: z.number().int().min(1).default(3),
  /**
   * Crashes, failed health checks and ejections of candidate instances that a deployment tolerates with a warning; one
   * more is a failure. A crash that also failed its health check counts once.
   */
  maxInstanceFailures: z.number().int().min(0).default(2),
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

/** What a template of a webhook may name. */
const placeholders = [
  'text',
  'service',
  'release',
  'stableRelease',
  'deployment',
  'phase',
  'when',
  'outcome',
  'reason',
  'weight',
  'link',
  'at',
]

function isTemplate(body: string): boolean {
  const names = [...body.matchAll(/\{\{(.*?)\}\}/g)].map(([, name]) => name ?? '')
  if (!names.every((name) => placeholders.includes(name))) return false
  try {
    JSON.parse(body.replace(/\{\{\w+\}\}/g, 'x'))
    return true
  } catch {
    return false
  }
}

/** A POST of what a script learns as JSON; any 2xx is success. An address that holds a secret is named by where it is kept. */
const webhookSchema = z
  .strictObject({
    kind: z.literal('webhook'),
    url: z
      .url()
      .max(2000)
      .refine(isWebAddress, webAddressWords)
      .refine((url) => !url.includes(hiddenText), 'the full address, not the masked one')
      .optional(),
    urlEnv: z
      .string()
      .regex(/^[A-Za-z_]\w{0,199}$/, 'the name of an environment variable')
      .optional(),
    urlFile: processText(4000).min(1).optional(),
    /** What the receiver takes; left out: a JSON object with `text` and all that is known. */
    format: z.enum(['generic', 'slack', 'teams', 'discord']).optional(),
    /** A JSON text of one's own; `{{text}}` and its siblings inside its strings are replaced. */
    body: z
      .string()
      .max(10_000)
      .refine(
        isTemplate,
        `JSON with placeholders such as {"text": "{{text}}"}; known: ${placeholders.join(', ')}`,
      )
      .optional(),
  })
  .refine(
    ({ url, urlEnv, urlFile }) => [url, urlEnv, urlFile].filter((place) => place !== undefined).length === 1,
    'set only one of url, urlEnv and urlFile',
  )
export type Webhook = z.infer<typeof webhookSchema>

const hookPhases = ['validating', 'staging', 'stepping', 'promoting', 'rolling_back'] as const

/**
 * Something of the operator's own that runs before or after a phase (before and after each step for `stepping`). Those
 * of `rolling_back` never delay traffic: both run when it has returned, and also of what ends before it is started.
 */
export const hookSchema = z.strictObject({
  name: z.string().min(1).max(100),
  when: z.enum(['before', 'after']),
  phase: z.enum(hookPhases),
  run: z.discriminatedUnion('kind', [
    /** Without a shell; the deployment is described in the environment (`PILOTHOUSE_SERVICE`, ...). */
    z.strictObject({ kind: z.literal('script'), argv: argvSchema }),
    webhookSchema,
  ]),
  timeoutMs: z.number().int().min(100).max(3_600_000).default(30_000),
  onFailure: z.enum(['continue', 'pause', 'rollback']).default('pause'),
})
export type Hook = z.infer<typeof hookSchema>

/** Which judge, and which of its versions: with the same evidence another one may decide otherwise. */
const judgeSchema = z.object({ name: z.string(), version: z.number().int() })
export type PlannedJudge = z.infer<typeof judgeSchema>

/** Everything that was decided before a deployment began; kept with it, never changed. */
export const planSchema = z.object({
  strategy: z.literal('canary'),
  preset: z.enum(presets).nullable(),
  steps: z.array(stepSchema).min(1).max(50),
  /** Left out in plans of earlier versions: `judgeOf` knows which one they had. */
  judge: judgeSchema.optional(),
  limits: judgeLimitsSchema,
  metricsEveryMs: z.number().int().min(1000),
  onFailure: z.enum(['rollback', 'pause']),
  onInconclusive: z.enum(undecidedPolicies),
  maxTimeMs: z.number().int().min(1000),
  /** Maximum time for the candidate to become healthy. */
  progressDeadlineMs: z.number().int().min(1000),
  instances: z.number().int().min(1).max(1000),
  /** What the service's configuration declared meanwhile; left out where that was not known. */
  declaredInstances: z.number().int().min(1).max(1000).optional(),
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
  /**
   * What was configured and does not happen, because the service has no release to compare this one with: it takes all
   * traffic at once. Left out everywhere else.
   */
  skipped: z
    .object({
      preset: z.enum(presets).nullable(),
      steps: z.array(stepSchema).min(1).max(50),
      startAtOnce: z.number().int().min(1).max(1000),
      skipAnalysis: z.boolean(),
      resources: resourceLimitsSchema.optional(),
    })
    .optional(),
})
export type Plan = z.infer<typeof planSchema>

/** The only judge that there was before plans named theirs. */
const earlierJudge: PlannedJudge = { name: 'threshold', version: 1 }

/** The judge of a plan. */
export const judgeOf = ({ judge }: Pick<Plan, 'judge'>): PlannedJudge => judge ?? earlierJudge

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

/** Nothing follows them. */
export const finalPhases = ['promoted', 'rolled_back', 'failed'] as const satisfies readonly DeploymentPhase[]

export const isFinal = (phase: string): boolean => finalPhases.some((final) => final === phase)

/** Phases of deployments that have not ended. */
export const openPhases: readonly DeploymentPhase[] = deploymentPhases.filter((phase) => !isFinal(phase))

/** Checks that every deployment has; an entry of the same kind in the list of a service replaces the default one. */
export const builtInChecks = [
  'artifact',
  'reachable',
  'exclusive',
  'secrets',
  'headroom',
  'data-quality',
] as const

const checkResultSchema = z.object({
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
const findingSchema = z.object({
  metric: z.enum([
    'errors',
    'abandoned',
    'instances',
    'latency_p50',
    'latency_p95',
    'latency_p99',
    'traffic',
    'data',
  ]),
  unit: z.enum(['ratio', 'ms', 'count']),
  candidate: z.number().nullable(),
  stable: z.number().nullable(),
  limit: z.number().nullable(),
  verdict: z.enum(['worse', 'same', 'better', 'unclear']),
  /** First of the judgements in a row that found it worse; of what is not worse, this judgement. */
  sinceMs: z.number(),
  /** A whole sentence: "r43 fails 2.4% of requests (stable r42: 0.3%, limit 1%)". */
  text: z.string(),
})
export type Finding = z.infer<typeof findingSchema>

const judgementSchema = z.object({
  decision: z.enum(['continue', 'promote', 'rollback', 'inconclusive']),
  /** A whole sentence that a person reads first. */
  text: z.string(),
  findings: z.array(findingSchema),
  atMs: z.number(),
})
export type Judgement = z.infer<typeof judgementSchema>

const logEntrySchema = z.object({
  atMs: z.number(),
  severity: z.enum(['info', 'ok', 'warning', 'critical']),
  actor: actorSchema,
  text: z.string(),
})
export type LogEntry = z.infer<typeof logEntrySchema>

/** How far a deployment had come when it was taken back. */
const reachedSchema = z.object({
  /** Index into the plan's steps; their count where it was past them. */
  stepIndex: z.number(),
  /** Of the candidate, verified, percent. */
  weight: z.number(),
})

/** An instance that failed: why its process ended or its health check fails, as a clause. */
const failedInstanceSchema = z.object({
  id: z.string(),
  reason: z.string(),
  restartCount: z.number(),
  /** Of its last restart; null where it was never restarted. */
  atMs: z.number().nullable(),
})
export type FailedInstance = z.infer<typeof failedInstanceSchema>

/** What the instances of a candidate that failed did and printed last. */
const failureSchema = z.object({
  /** Newest failure first. */
  instances: z.array(failedInstanceSchema),
  /** Oldest first. */
  lines: z.array(logLineSchema),
})
export type Failure = z.infer<typeof failureSchema>

/** Why a deployment waits; only a person ends that. */
const pauseCauses = ['person', 'gate', 'inconclusive', 'failure', 'hook'] as const
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
  /**
   * Indexes of the steps that a person cut short or passed over: they were not held to their end and judged. Left out by
   * earlier versions.
   */
  skippedSteps: z.array(z.number()).optional(),
  /** Null for what goes forward or never had traffic; left out by earlier versions. */
  reached: reachedSchema.nullable().optional(),
  /** Of the candidate, as desired; the service's state has what the router says. */
  weight: z.number(),
  validation: validationSchema.nullable(),
  judgement: judgementSchema.nullable(),
  /** Whether the candidate has become the stable release and has all traffic; left out by earlier versions. */
  isHandedOver: z.boolean().optional(),
  /** Until when the release before is kept warm, so that traffic can return to it at once; null when none is. */
  keptWarmUntilMs: z.number().nullable().optional(),
  /** Null where the engine neither took it back nor paused it for a failure; left out by earlier versions. */
  failure: failureSchema.nullable().optional(),
  log: z.array(logEntrySchema),
  createdBy: actorSchema,
  why: z.string(),
  createdAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  revision: z.number(),
  /** The revision that the last order of a person made; 0 before the first, and by earlier versions. */
  personRevision: z.number().default(0),
})
export type Deployment = z.infer<typeof deploymentSchema>

/** What a person may order of a deployment: the last two of one that has ended. */
export type DeploymentCommand = 'pause' | 'resume' | 'skip' | 'promote' | 'abort' | 'retry' | 'undo'

/**
 * Whether an order was given on something that no longer holds. What sends a release on depends on all that was seen. What
 * holds it or takes it back is as right a step later: there only another person's order counts, so that nobody undoes it
 * unknowingly, and automation that went on meanwhile refuses nobody.
 */
export function isOutdated(
  command: DeploymentCommand,
  seenRevision: number,
  { revision, personRevision }: Pick<Deployment, 'revision' | 'personRevision'>,
): boolean {
  const isBackward = command === 'pause' || command === 'abort'
  return isBackward ? seenRevision < personRevision || seenRevision > revision : seenRevision !== revision
}

/** A request in progress for this long, and a response of which nothing has come for this long, may hang. */
export const longWaitMs = 10_000

/**
 * What requests in progress wait for, at the end of a bin; left out by earlier edges. A response has begun once a byte of its
 * body has come; an event stream and an upgraded connection begin with their head.
 */
const waitingGaugesSchema = z.object({
  /** Attempts that have been in progress for `longWaitMs` or more. */
  longInFlight: z.number().optional(),
  /** Of `longInFlight`, those whose response has not begun, and the age of the oldest. */
  unanswered: z.number().optional(),
  oldestUnansweredMs: z.number().optional(),
  /**
   * Of `longInFlight`, those whose response has begun and of which nothing has come for `longWaitMs`, though the client
   * would have taken it.
   */
  stalled: z.number().optional(),
})

/**
 * Counts of one bin and release, as a judge is fed. A request counts once it is over:
 * - A 5xx response, a response that the instance broke off, and no response at all are errors.
 * - A response that came to its end counts by its status.
 * - A response with a Content-Length that did not come whole is abandoned where the client left, and timed out where a limit
 *   of the edge cut it.
 * - A response without a Content-Length that was cut counts by its status once a byte of its body has come; before that it is
 *   abandoned or timed out. Event streams and upgraded connections count by their status from their head on.
 */
export const binSchema = z.object({
  /** Begin of the bin, wall time of the router, and how long it really took: more than nominal after a suspend. */
  atMs: z.number(),
  durationMs: z.number(),
  releaseId: z.string(),
  /** Attempts that ended in this bin, retries counted each; `errors` and `timeouts` are among them. */
  requests: z.number(),
  /** 5xx responses, broken connections and timeouts. */
  errors: z.number(),
  timeouts: z.number(),
  /** At the end of the bin: attempts that have not ended, and the age of the oldest. */
  inFlight: z.number(),
  oldestInFlightMs: z.number(),
  /** Responses that began in this bin, see `waitingGaugesSchema`; 0 from earlier edges. */
  begun: z.number().default(0),
  /** Of `begun`, those that came `longWaitMs` or more after their request. */
  begunLate: z.number().default(0),
  ...waitingGaugesSchema.shape,
  /** Requests whose client left without a response, as defined above; not among `requests`. */
  abandoned: z.number().default(0),
  /** Requests routed to this release that another release served instead: a retry, or no healthy instance. */
  diverted: z.number().default(0),
  /** Requests that the router refused because no instance could take them; among `requests` and `errors`. */
  unserved: z.number().default(0),
  /** Processes of instances that ended without being asked to, kills for lack of memory included. */
  crashes: z.number().default(0),
  /** Of `crashes`, those for lack of memory: the kernel's OOM killer or the service's memory limit. */
  oomKills: z.number().default(0),
  /** Instances that went from healthy to unhealthy. */
  healthFailures: z.number().default(0),
  /** Instances that the router took out of the split after failed requests in a row. */
  ejections: z.number().default(0),
  /**
   * Of `requests`, those answered without an error and whole, by the time from the request to the end of the response: a
   * histogram over `latencyBoundsMs`.
   */
  latencyCounts: z.array(z.number()),
})
export type Bin = z.infer<typeof binSchema>

/** Upper bounds of the latency histogram, ms: 8 a doubling from 0.25 ms to 65 s, the last bin is open. */
export const latencyBoundsMs: readonly number[] = Array.from({ length: 145 }, (_, k) => 0.25 * 2 ** (k / 8))

export const auditEntrySchema = z.object({
  seq: z.number(),
  atMs: z.number(),
  actor: actorSchema,
  action: z.string(),
  target: z.string(),
  why: z.string(),
  details: z.record(z.string(), z.unknown()),
  /** Hash of the entry before, and of this one with it (SHA-256, hexadecimal). */
  previousHash: z.string(),
  hash: z.string(),
})
export type AuditEntry = z.infer<typeof auditEntrySchema>
