import * as z from 'zod'
import {
  artifactIn,
  directoryNamedBy,
  nameSchema,
  planOptionsSchema,
  serviceDefinitionSchema,
  type PlanOptions,
  type Release,
  type ServiceDefinition,
} from '../../contract/index.ts'
import { buildPlan } from '../deployments/index.ts'
import { checksSchema, type CheckConfig } from '../validation/index.ts'
import { edgeForm } from './edge-platform.ts'
import { serviceFormOf, type PlatformForm } from './platform-form.ts'
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

const planForm = heldTo(
  sectionForm(planOptionsSchema, {
    preset: 'Steps, concurrency, timeouts and resource limits: conservative, balanced or aggressive.',
    steps: 'Traffic shares of the candidate in order, each with its hold.',
    weight: 'Traffic share of the candidate in a plan of one step.',
    holdMs: 'How long a plan of one step holds.',
    limits: 'When a candidate counts as worse.',
    minSuccessRatio: 'Minimum share of requests that must succeed.',
    maxErrorRatio: 'Maximum share of requests that may fail.',
    maxLatencyRegression: 'How much slower than the stable release the candidate may be at its p95.',
    maxErrorRatioToStable: "Maximum error ratio of the candidate, as a multiple of the stable release's.",
    minSamples: 'Minimum number of requests for a judgment.',
    warmUpMs: 'Time after the first traffic that is not judged.',
    strikes: 'Consecutive failures (judgments over the same limit) that roll the candidate back.',
    maxInstanceFailures:
      'Crashes, failed health checks and ejections that the candidate may have; one more rolls it back.',
    onNoTraffic: 'What happens when there is no traffic.',
    onNoData: 'What happens when the router reports no counts.',
    resources:
      'Maximum host resource use to start a deployment and each of its steps; null disables the check.',
    maxCpuRatio: 'Maximum CPU use.',
    maxMemoryRatio: 'Maximum memory use.',
    maxDiskRatio: 'Maximum use of the fullest filesystem.',
    metricsEveryMs: 'Time between judgments.',
    onFailure: 'What happens when the candidate is judged worse.',
    onInconclusive: 'What happens when the judgment is inconclusive.',
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

const checksForm = heldTo(listForm(checksSchema), checksSchema).describe(
  'Checks before a deployment, in addition to the built-in ones.',
)

const name = nameSchema.register(
  settingFacts,
  facts('a name: letters, digits, dots, dashes and underscores, at most 63'),
)

/** The platforms that a config can name; the first one is meant where it names none. */
const platformForms: readonly PlatformForm[] = [edgeForm]

/** What every service has, whatever platform it is on. */
const common = {
  deploy: planForm.prefault({}).describe('How releases of this service are deployed.'),
  checks: checksForm,
}

const serviceForm = serviceFormOf(platformForms, common, name)

/** The sections of a config that are about services; an environment may override them too. */
export const serviceSections = {
  deploy: planForm.prefault({}).describe('How releases are deployed, unless a service sets its own values.'),
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
    const { deploy, checks, releases, ...settings } = parts as Record<string, unknown>
    const platform = platformForms.find((each) => each.name === settings['platform']) as PlatformForm
    const plain = contractValue(platform.settings, settings) as object
    return {
      definition: serviceDefinitionSchema.parse({ ...plain, name: service, workingDirectory: directory }),
      deploy: planOptionsOf(deploy),
      checks: checksSchema.parse(contractValue(checksSchema, checks)),
      releases: inOrder(releases as Record<string, unknown>, written, ['services', service, 'releases']).map(
        ([id, release]) => {
          const { artifact: own, parameters, note } = platform.releases.read(release)
          const artifact = directory === null ? own : artifactIn(directory, own)
          const hasDefaultCwd = directoryNamedBy(own) === undefined && directory !== null
          return { id, artifact, parameters, note, hasDefaultCwd }
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
