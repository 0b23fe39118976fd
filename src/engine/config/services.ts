import * as z from 'zod'
import {
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
    steps: 'Shares of traffic of the candidate, one after the other, each with its hold.',
    weight: 'Share of traffic of the candidate in a plan of one step.',
    holdMs: 'How long a plan of one step holds.',
    limits: 'From when on a candidate counts as worse.',
    minSuccessRatio: 'Least share of requests that must succeed.',
    maxErrorRatio: 'Most of the requests that may fail.',
    maxLatencyRegression: 'How much slower than the stable release the candidate may be at its p95.',
    maxErrorRatioToStable: 'From how many times the errors of the stable release on the candidate is worse.',
    minSamples: 'Requests before anything is judged.',
    warmUpMs: 'Time after the first traffic that is not judged.',
    strikes: 'Consecutive checks over a limit that roll the candidate back.',
    maxInstanceFailures:
      'Crashes, failed health checks and ejections of candidate instances that only warn; one more rolls it back.',
    onNoTraffic: 'What happens when no request comes.',
    onNoData: 'What happens when the router gives no counts.',
    resources:
      'How full a host may be for a deployment to begin and for each of its steps; null does not look.',
    maxCpuRatio: 'Most of the CPU that may be in use.',
    maxMemoryRatio: 'Most of the memory that may be in use.',
    maxDiskRatio: 'How full the fullest filesystem may be.',
    metricsEveryMs: 'Time between two judgements.',
    onFailure: 'What happens when the candidate is worse.',
    onInconclusive: 'What happens when the judge cannot say.',
    maxTimeMs: 'Longest time of a whole deployment.',
    progressDeadlineMs: 'Longest wait for the candidate to become healthy.',
    instances: 'Copies of the candidate.',
    startAtOnce: 'How many copies may be starting at the same time.',
    skipAnalysis: 'Whether steps go on without a judge.',
    isFix: 'Whether the stable release is known to be broken, so that nothing is compared with it.',
    keepStableWarmMs: 'How long the former release runs on after a promotion.',
    hooks:
      'Scripts and webhooks before and after phases; an address that holds a secret is kept in a variable or a file: urlEnv, urlFile.',
  }),
  planOptionsSchema,
)

const definitionForm = sectionForm(definitionWithoutName, {
  target: 'Where instances run; `edge` is the embedded platform.',
  router: 'What splits the traffic; `edge` is the embedded proxy.',
  listen: 'Where requests to the service arrive.',
  host: 'Address to listen on.',
  port: 'Port to listen on; 0 takes a free one.',
  trustedProxies: 'Proxies in front, by address or range, that are believed about where a request came from.',
  routing: 'How requests are spread over releases and instances.',
  balancing: 'How an instance is chosen.',
  candidateHeader: 'Requests with this header go to the candidate.',
  candidateCookie: 'Requests with this cookie go to the candidate.',
  isSticky: 'Whether a client stays with the release it got first.',
  name: 'Name of the header or cookie.',
  value: 'Value of the header or cookie.',
  instanceWeights:
    'Weights of the instances of each release, in the order in which they start; 1 where none is given. `round_robin` ignores them.',
  health: 'How an instance shows that it is well.',
  path: 'Path that is asked for.',
  intervalMs: 'Time between two questions.',
  timeoutMs: 'Longest wait for an answer.',
  'health.host': 'Host header of the health check; null sends the address of the instance.',
  timeouts: 'How long the proxy waits.',
  connectMs: 'Longest wait for a connection to an instance.',
  queueMs: 'Longest wait for an instance all of whose connections are in use; 503 after it.',
  responseMs: 'Longest wait for the head of a response; 504 after it.',
  idleMs: 'Longest pause within a response, such as an event stream; null sets no limit.',
  webSocketIdleMs: 'How long a WebSocket may be silent; null sets no limit.',
  requestHeadersMs: 'Longest time that a client may take to send the headers of a request.',
  requestMs: 'Longest time that a client may take to send a whole request; null sets no limit.',
  clientIdleMs: 'How long a client connection may be silent while it waits for no response.',
  limits: 'How much clients may ask of the proxy, and the proxy of an instance.',
  maxBodyBytes: 'Largest body of a request; 413 above it.',
  maxHeaderBytes: 'Most bytes of request line and headers; 431 above it.',
  maxHeaderCount: 'Most header fields of a request; 431 above it.',
  maxClientConnections: 'Most client connections of the service at a time.',
  maxInstanceConnections: 'Most requests that one instance works on at a time.',
  maxInstanceQueue: 'Most requests that wait for one instance; 503 above it.',
  maxAttempts: 'Most attempts of a request that may be repeated, the first included.',
  rise: 'Good answers in a row that make an instance healthy.',
  fall: 'Bad answers in a row that make it unhealthy.',
  restartAfterMs:
    'How long an instance may be unhealthy before it is restarted, and five times as long while it starts; null never restarts it.',
  drainMs: 'Longest wait for requests in flight before an instance is stopped.',
  graceMs: 'Time from SIGTERM to SIGKILL.',
  memoryLimitBytes: 'Most memory of an instance; above it, it is restarted.',
  user: 'User that instances, checks and hooks run as, by name or number; only where Pilothouse runs as root. A change holds from the next start of each.',
  group: "Group that they run with; the user's own unless set.",
})

const checksForm = heldTo(listForm(checksSchema), checksSchema).describe(
  'Checks before a deployment, beside those that every deployment has.',
)

const releaseForm = heldTo(
  sectionForm(releaseContract, {
    command:
      'What runs, without a shell; `{port}` in it and PORT in its environment are the port to listen on.',
    env: 'Environment of the command.',
    cwd: 'Directory in which the command runs; the directory of this file unless set.',
    parameters: 'What this release was made with, to compare releases by.',
    note: 'What a person should know of it.',
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
    releases: z
      .record(name, releaseForm)
      .prefault({})
      .describe('Releases that are known from the start, by name.'),
  }),
  definitionWithoutName,
)

/** The sections of a config that are about services; an environment may override them too. */
export const serviceSections = {
  deploy: planForm
    .prefault({})
    .describe('How releases are deployed, where a service does not say otherwise.'),
  services: z.record(name, serviceForm).prefault({}).describe('What is steered, by name.'),
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
          const place = cwd ?? directory
          const artifact = {
            kind: 'command' as const,
            argv: command,
            env,
            ...(place === null ? {} : { cwd: place }),
          }
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
