import * as z from 'zod'
import {
  commandArtifactSchema,
  nameSchema,
  planOptionsSchema,
  releaseSchema,
  serviceDefinitionSchema,
  type PlanOptions,
  type Release,
  type ServiceDefinition,
} from '../../contract/index.ts'
import { buildPlan } from '../deployments/index.ts'
import { checksSchema, type CheckConfig } from '../validation/index.ts'
import { facts, settingFacts } from './values.ts'
import { contractValue, heldTo, listForm, sectionForm, writtenValue } from './written.ts'

/** One release as a config names it: what the contract adds, who and when, is known once it is used. */
export type ConfiguredRelease = Pick<Release, 'id' | 'artifact' | 'parameters' | 'note'>

/** A service as the engine takes it from the config. */
export interface ServiceConfig {
  definition: ServiceDefinition
  /** On top of the plan options of the whole config. */
  deploy: PlanOptions
  checks: readonly CheckConfig[]
  releases: readonly ConfiguredRelease[]
}

const definitionWithoutName = serviceDefinitionSchema.omit({ name: true })

const releaseContract = z.strictObject({
  command: commandArtifactSchema.shape.argv,
  env: commandArtifactSchema.shape.env,
  cwd: commandArtifactSchema.shape.cwd,
  parameters: releaseSchema.shape.parameters,
  note: releaseSchema.shape.note,
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
    strikes: 'Judgements in a row over a limit that decide.',
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
  health: 'How an instance shows that it is well.',
  path: 'Path that is asked for.',
  intervalMs: 'Time between two questions.',
  timeoutMs: 'Longest wait for an answer.',
  rise: 'Good answers in a row that make an instance healthy.',
  fall: 'Bad answers in a row that make it unhealthy.',
  drainMs: 'Longest wait for requests in flight before an instance is stopped.',
  graceMs: 'Time from SIGTERM to SIGKILL.',
  memoryLimitBytes: 'Most memory of an instance; above it, it is restarted.',
})

const checksForm = heldTo(listForm(checksSchema), checksSchema).describe(
  'Checks before a deployment, beside those that every deployment has.',
)

const releaseForm = sectionForm(releaseContract, {
  command:
    'What runs, without a shell; `{port}` in it and PORT in its environment are the port to listen on.',
  env: 'Environment of the command.',
  cwd: 'Directory in which the command runs.',
  parameters: 'What this release was made with, to compare releases by.',
  note: 'What a person should know of it.',
})

const name = nameSchema.register(
  settingFacts,
  facts('a name: letters, digits, dots, dashes and underscores, at most 63'),
)

const serviceForm = z.strictObject({
  ...definitionForm.shape,
  listen: (definitionForm.shape['listen'] as z.ZodType).prefault({}),
  deploy: planForm.prefault({}).describe('How releases of this service are deployed.'),
  checks: checksForm,
  releases: z
    .record(name, releaseForm)
    .prefault({})
    .describe('Releases that are known from the start, by name.'),
})

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

/** The services out of what was parsed, in the order of the file. */
export function serviceConfigsOf(parsed: Readonly<Record<string, unknown>>): ServiceConfig[] {
  return Object.entries(parsed).map(([service, written]) => {
    const { deploy, checks, releases, ...definition } = written as Record<string, unknown>
    const plain = contractValue(definitionWithoutName, definition) as object
    return {
      definition: serviceDefinitionSchema.parse({ ...plain, name: service }),
      deploy: planOptionsOf(deploy),
      checks: checksSchema.parse(contractValue(checksSchema, checks)),
      releases: Object.entries(releases as Record<string, unknown>).map(([id, release]) => {
        const { command, env, cwd, parameters, note } = releaseContract.parse(
          contractValue(releaseContract, release),
        )
        const artifact = {
          kind: 'command' as const,
          argv: command,
          env,
          ...(cwd === undefined ? {} : { cwd }),
        }
        return { id, artifact, parameters, note }
      }),
    }
  })
}
