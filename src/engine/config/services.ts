import * as z from 'zod'
import {
  artifactIn,
  commandArtifactSchema,
  nameSchema,
  newReleaseSchema,
  planOptionsSchema,
  serviceDefinitionSchema,
  type PlanOptions,
  type Release,
  type ServiceDefinition,
} from '../../contract/index.ts'
import { buildPlan } from '../deployments/index.ts'
import { checksSchema, type CheckConfig } from '../validation/index.ts'
import { nodeAt, type ConfigNode } from './tree.ts'
import { facts, settingFacts } from './values.ts'
import { contractValue, heldTo, listForm, sectionForm, writtenValue } from './written.ts'

/** One release as a config names it: what the contract adds, who and when, is known once it is used. */
export interface ConfiguredRelease extends Pick<Release, 'id' | 'artifact' | 'parameters' | 'note'> {
  /** `cwd` is not written but the directory of the file: no part of the content by which releases are compared. */
  hasDefaultCwd: boolean
}

/** A service as the engine takes it from the config. */
export interface ServiceConfig {
  definition: ServiceDefinition
  /** On top of the plan options of the whole config. */
  deploy: PlanOptions
  checks: readonly CheckConfig[]
  releases: readonly ConfiguredRelease[]
}

const definitionWithoutName = serviceDefinitionSchema.omit({ name: true, workingDirectory: true })

const releaseContract = z.strictObject({
  command: commandArtifactSchema.shape.argv,
  env: commandArtifactSchema.shape.env,
  cwd: commandArtifactSchema.shape.cwd,
  parameters: newReleaseSchema.shape.parameters,
  note: newReleaseSchema.shape.note,
})

const planForm = heldTo(
  sectionForm(planOptionsSchema, {
    preset: 'Steps, concurrency, patience and resource limits: conservative, balanced or aggressive.',
    steps: 'Traffic shares of the candidate, one after the other, each with its hold.',
    weight: 'Traffic share of the candidate in a plan of one step.',
    holdMs: 'How long a plan of one step holds.',
    limits: 'When a candidate counts as worse.',
    minSuccessRatio: 'Minimum share of requests that must succeed.',
    maxErrorRatio: 'Maximum share of requests that may fail.',
    maxLatencyRegression: 'How much slower than the stable release the candidate may be at its p95.',
    maxErrorRatioToStable: 'How many times the error ratio of the stable release makes the candidate worse.',
    minSamples: 'Minimum number of requests for a judgment.',
    warmUpMs: 'Time after the first traffic that is not judged.',
    strikes: 'Consecutive checks over a limit that roll the candidate back.',
    maxInstanceFailures:
      'Crashes, failed health checks and ejections of candidate instances that only warn; one more rolls it back.',
    onNoTraffic: 'What happens when there is no traffic.',
    onNoData: 'What happens when the router reports no counts.',
    resources:
      'Maximum host resource use to start a deployment and each of its steps; null disables the check.',
    maxCpuRatio: 'Maximum CPU use.',
    maxMemoryRatio: 'Maximum memory use.',
    maxDiskRatio: 'Maximum use of the fullest filesystem.',
    metricsEveryMs: 'Time between two judgments.',
    onFailure: 'What happens when the candidate is worse.',
    onInconclusive: 'What happens when the result is inconclusive.',
    maxTimeMs: 'Maximum duration of a deployment.',
    progressDeadlineMs: 'Maximum time for the candidate to become healthy.',
    instances: 'Number of instances of the candidate.',
    startAtOnce: 'How many instances may start at the same time.',
    skipAnalysis: 'Whether steps continue without being judged.',
    isFix: 'Whether the stable release is known to be broken, so that nothing is compared with it.',
    keepStableWarmMs: 'How long the old release is kept warm after a promotion.',
    hooks:
      'Scripts and webhooks before and after phases; put an address that contains a secret in a variable or a file: urlEnv, urlFile.',
  }),
  planOptionsSchema,
)

const definitionForm = sectionForm(definitionWithoutName, {
  target: 'Where instances run; `edge` is the embedded platform.',
  router: 'What splits the traffic; `edge` is the embedded proxy.',
  listen: 'Where requests to the service arrive.',
  host: 'Address to listen on.',
  port: 'Port to listen on; 0 takes a free one.',
  trustedProxies:
    'Proxies in front, by address or range, that are trusted to report where a request came from.',
  routing: 'How requests are spread over releases and instances.',
  balancing: 'How an instance is chosen.',
  candidateHeader: 'Requests with this header go to the candidate.',
  candidateCookie: 'Requests with this cookie go to the candidate.',
  isSticky: 'Whether a client stays with the release it got first.',
  name: 'Name of the header or cookie.',
  value: 'Value of the header or cookie.',
  instanceWeights:
    'Weights of the instances of each release, in the order in which they start; 1 where none is given. `round_robin` ignores them.',
  health: 'How the health of an instance is checked.',
  path: 'Path of the health check.',
  intervalMs: 'Time between two health checks.',
  timeoutMs: 'Maximum wait for a response.',
  'health.host': 'Host header of the health check; null sends the address of the instance.',
  timeouts: 'How long the proxy waits.',
  connectMs: 'Maximum wait for a connection to an instance.',
  queueMs: 'Maximum wait for an instance whose connections are all in use; then 503.',
  responseMs: 'Maximum wait for the response headers; then 504.',
  idleMs: 'Maximum pause within a response, such as an event stream; null sets no limit.',
  webSocketIdleMs: 'How long a WebSocket may be idle; null sets no limit.',
  requestHeadersMs: 'Maximum time for a client to send the headers of a request.',
  requestMs: 'Maximum time for a client to send a whole request; null sets no limit.',
  clientIdleMs: 'How long a client connection may be idle between requests.',
  limits: 'Limits of the proxy for clients and instances.',
  maxBodyBytes: 'Maximum size of a request body; 413 above it.',
  maxHeaderBytes: 'Maximum size of the request line and headers; 431 above it.',
  maxHeaderCount: 'Maximum number of header fields of a request; 431 above it.',
  maxClientConnections: 'Maximum number of concurrent client connections of the service.',
  maxInstanceConnections: 'Maximum number of concurrent requests of one instance.',
  maxInstanceQueue: 'Maximum number of requests that wait for one instance; 503 above it.',
  maxAttempts: 'Maximum number of attempts of a request that may be retried, including the first.',
  rise: 'Consecutive successes that make an instance healthy.',
  fall: 'Consecutive failures that make it unhealthy.',
  restartAfterMs:
    'How long an instance may be unhealthy before it is restarted, and five times as long while it starts; null never restarts it.',
  drainMs: 'Maximum wait for requests in flight before an instance is stopped.',
  graceMs: 'Time from SIGTERM to SIGKILL.',
  memoryLimitBytes: 'Maximum memory of an instance; above it, the instance is restarted.',
  user: 'User that instances, checks and hooks run as, by name or number; only where Pilothouse runs as root. A change applies at the next start of each.',
  group: "Group that they run with; the user's own unless set.",
})

const checksForm = heldTo(listForm(checksSchema), checksSchema).describe(
  'Checks before a deployment, in addition to the built-in ones.',
)

const releaseForm = heldTo(
  sectionForm(releaseContract, {
    command:
      'What runs, without a shell; `{port}` in it and PORT in its environment are the port to listen on.',
    env: 'Environment of the command.',
    cwd: 'Directory in which the command runs; the directory of this file unless set.',
    parameters: 'Build information of this release, to compare releases.',
    note: 'Description of the release.',
  }),
  releaseContract,
)

const name = nameSchema.register(
  settingFacts,
  facts('a name: letters, digits, dots, dashes and underscores, at most 63'),
)

const serviceForm = heldTo(
  z.strictObject({
    ...definitionForm.shape,
    listen: (definitionForm.shape['listen'] as z.ZodType).prefault({}),
    deploy: planForm.prefault({}).describe('How releases of this service are deployed.'),
    checks: checksForm,
    releases: z.record(name, releaseForm).prefault({}).describe('Releases of the service, by name.'),
  }),
  definitionWithoutName,
)

/** The sections of a config that are about services; an environment may override them too. */
export const serviceSections = {
  deploy: planForm
    .prefault({})
    .describe('How releases are deployed, where a service does not say otherwise.'),
  services: z.record(name, serviceForm).prefault({}).describe('Services that Pilothouse manages, by name.'),
}

/** Plan options out of what was parsed. */
export const planOptionsOf = (parsed: unknown): PlanOptions =>
  planOptionsSchema.parse(contractValue(planOptionsSchema, parsed))

/** What these options and the defaults below them come to, as a person would write it. */
export function writtenPlan(options: PlanOptions): unknown {
  const plan = buildPlan(options)
  if (!plan.ok) return {}
  const [first, ...more] = plan.value.steps
  const short = first && more.length === 0 ? { weight: first.weight, holdMs: first.holdMs } : {}
  const { preset, ...rest } = plan.value
  return writtenValue(planOptionsSchema, { ...rest, ...short, ...(preset ? { preset } : {}) })
}

/** Options as a person would write them, without the defaults below them. */
export const writtenOptions = (options: PlanOptions): unknown => writtenValue(planOptionsSchema, options)

/**
 * Settings of a plan that decide others, as `buildPlan` does: by the one that is decided, the strongest first. The one that is
 * written itself holds over a preset alone.
 */
const deciders: Readonly<Record<string, readonly string[]>> = {
  steps: ['weight', 'hold', 'preset'],
  weight: ['steps', 'preset'],
  hold: ['steps', 'preset'],
  startAtOnce: ['preset'],
  keepStableWarm: ['preset'],
  maxTime: ['preset'],
  'resources.maxCpuRatio': ['isFix', 'preset'],
  'resources.maxMemoryRatio': ['isFix', 'preset'],
  'resources.maxDiskRatio': ['isFix', 'preset'],
  'limits.maxErrorRatio': ['limits.minSuccessRatio'],
  'limits.minSuccessRatio': ['limits.maxErrorRatio'],
}

/** Which written setting of a plan decides the one at `path`, both without `deploy.`; undefined where none does. */
export const deciderOf = (
  path: string,
  { isFix }: PlanOptions,
  isWritten: (path: string) => boolean,
): string | undefined =>
  deciders[path]?.find((decider) => isWritten(decider) && (decider !== 'isFix' || isFix === true))

/**
 * The services out of what was parsed, and their releases, in the order in which they are `written`: an object would
 * put names such as `10` first. Releases run in `directory`, that of the file, unless they say otherwise; null where there
 * is no file.
 */
export function serviceConfigsOf(
  parsed: Readonly<Record<string, unknown>>,
  directory: string | null,
  written: ConfigNode,
): ServiceConfig[] {
  return inOrder(parsed, written, ['services']).map(([service, parts]) => {
    const { deploy, checks, releases, ...definition } = parts as Record<string, unknown>
    const plain = contractValue(definitionWithoutName, definition) as object
    return {
      definition: serviceDefinitionSchema.parse({ ...plain, name: service, workingDirectory: directory }),
      deploy: planOptionsOf(deploy),
      checks: checksSchema.parse(contractValue(checksSchema, checks)),
      releases: inOrder(releases as Record<string, unknown>, written, ['services', service, 'releases']).map(
        ([id, release]) => {
          const { command, env, cwd, parameters, note } = releaseContract.parse(
            contractValue(releaseContract, release),
          )
          const own = { kind: 'command' as const, argv: command, env, ...(cwd === undefined ? {} : { cwd }) }
          const artifact = directory === null ? own : artifactIn(directory, own)
          return { id, artifact, parameters, note, hasDefaultCwd: cwd === undefined && directory !== null }
        },
      ),
    }
  })
}

/** The members of `parsed` in the order in which the section at `path` has them. */
function inOrder(
  parsed: Readonly<Record<string, unknown>>,
  written: ConfigNode,
  path: readonly string[],
): [string, unknown][] {
  const section = nodeAt(written, path)
  const keys = section?.kind === 'section' ? [...section.entries.keys()] : []
  const places = new Map(keys.map((key, place) => [key, place]))
  const placeOf = (key: string) => places.get(key) ?? keys.length
  return Object.entries(parsed).sort(([a], [b]) => placeOf(a) - placeOf(b))
}
