import { AppError, fail, ok, type Result } from '../../base/index.ts'
import {
  duration,
  judgeLimitsSchema,
  resourceLimitsSchema,
  weightText,
  type JudgeLimits,
  type Plan,
  type PlannedJudge,
  type PlanOptions,
  type presets,
  type ResourceLimits,
  type Step,
} from '../../contract/index.ts'

type Preset = (typeof presets)[number]

const minute = 60_000
const step = (weight: number, holdMinutes: number): Step => ({
  weight,
  holdMs: holdMinutes * minute,
  analysis: true,
  gate: false,
})

const room = (maxCpuRatio: number, maxMemoryRatio: number, maxDiskRatio: number): ResourceLimits => ({
  maxCpuRatio,
  maxMemoryRatio,
  maxDiskRatio,
})
const anyRoom: ResourceLimits = resourceLimitsSchema.parse({})

type PresetPart = 'steps' | 'startAtOnce' | 'keepStableWarmMs' | 'maxTimeMs' | 'resources'

/**
 * Steps, concurrency, timeouts and resource limits of each preset. Both releases run during a deployment, so a careful
 * preset starts only where a host could lose another quarter of its capacity.
 */
const presetPlans: Record<Preset, Pick<Plan, PresetPart>> = {
  conservative: {
    steps: [step(1, 10), step(5, 10), step(10, 10), step(25, 10), step(50, 10)],
    startAtOnce: 1,
    keepStableWarmMs: 30 * minute,
    maxTimeMs: 180 * minute,
    resources: room(0.7, 0.75, 0.8),
  },
  balanced: {
    steps: [step(10, 5), step(25, 5), step(50, 5)],
    startAtOnce: 2,
    keepStableWarmMs: 10 * minute,
    maxTimeMs: 60 * minute,
    resources: room(0.85, 0.85, 0.9),
  },
  aggressive: {
    steps: [step(25, 2), step(50, 2)],
    startAtOnce: 10,
    keepStableWarmMs: 5 * minute,
    maxTimeMs: 20 * minute,
    resources: room(0.95, 0.95, 0.95),
  },
}

/** The plan without any configuration: 10% for 10 minutes, judged every 30 s. */
const plain: Omit<Plan, 'limits'> = {
  strategy: 'canary',
  preset: null,
  steps: [step(10, 10)],
  metricsEveryMs: 30_000,
  onFailure: 'rollback',
  onInconclusive: 'pause',
  maxTimeMs: 60 * minute,
  progressDeadlineMs: 10 * minute,
  instances: 1,
  startAtOnce: 2,
  skipAnalysis: false,
  isFix: false,
  keepStableWarmMs: 10 * minute,
  hooks: [],
  resources: anyRoom,
}

/**
 * The plan from options in rising precedence (environment, service, deployment). A preset applies from the layer that
 * names it: options named with it or later replace its parts. BAD_INPUT, with every mistake, for a plan that cannot
 * work.
 */
export function buildPlan(...layers: readonly PlanOptions[]): Result<Plan> {
  let plan: Plan = { ...plain, limits: judgeLimitsSchema.parse({}) }
  for (const { preset, limits, weight, holdMs, resources, ...rest } of layers) {
    if (preset) plan = { ...plan, preset, ...presetPlans[preset] }
    const first = plan.steps[0]
    if (first && (weight !== undefined || holdMs !== undefined))
      plan.steps = [{ ...first, weight: weight ?? first.weight, holdMs: holdMs ?? first.holdMs }]
    plan = {
      ...plan,
      ...defined(rest),
      limits: limitsWith(plan.limits, limits ?? {}),
      resources: { ...(plan.resources ?? anyRoom), ...defined(resources ?? {}) },
    }
  }
  // The broken release may be what fills the host.
  if (plan.isFix) plan.resources = anyRoom
  const mistakes = mistakesIn(plan)
  return mistakes.length === 0
    ? ok(plan)
    : fail(new AppError('BAD_INPUT', mistakes.join('; '), { details: { mistakes } }))
}

/**
 * The plan when nothing can be compared, for an undo and for the first release of a service: no steps and no judge,
 * but all instances must be healthy before any traffic. A full host does not block the way back.
 */
export function straightPlan(of: Plan): Plan {
  return {
    ...of,
    preset: null,
    steps: [{ weight: 100, holdMs: 0, analysis: false, gate: false }],
    skipAnalysis: true,
    startAtOnce: of.instances,
    resources: anyRoom,
  }
}

/**
 * The plan next to `stableReleaseId`. A first release has nothing to be compared with, so it takes all traffic at once
 * and its plan keeps the skipped steps. They apply again if a release has taken the traffic meanwhile.
 */
export function planBeside(stableReleaseId: string | null, plan: Plan): Plan {
  const { skipped, ...rest } = plan
  if (stableReleaseId !== null) return skipped ? { ...rest, ...skipped } : plan
  if (skipped || plan.isUndo) return plan
  const { preset, steps, startAtOnce, skipAnalysis, resources } = plan
  const isKept = resources !== undefined
  const kept = { preset, steps, startAtOnce, skipAnalysis, ...(isKept ? { resources } : {}) }
  return { ...straightPlan(plan), skipped: kept }
}

/** The plan with the current judge, whichever judge it had before. */
export const judgedBy = ({ name, version }: PlannedJudge, plan: Plan): Plan => ({
  ...plan,
  judge: { name, version },
})

/**
 * The plan of a retry. It keeps its own number of instances while the configuration of the service declares the same
 * number as then; a number declared since replaces it.
 */
export function planAgain(plan: Plan, declared: number | null): Plan {
  if (declared === null || plan.declaredInstances === declared) return plan
  const isAllAtOnce = plan.skipped !== undefined || plan.isUndo === true
  return {
    ...plan,
    instances: declared,
    declaredInstances: declared,
    ...(isAllAtOnce ? { startAtOnce: declared } : {}),
  }
}

/**
 * The plan of a way back, from the service's usual plan. The release that is left is not kept warm: it gets traffic
 * again only when a person names it.
 */
export const undoPlan = (of: Plan): Plan => ({ ...straightPlan(of), keepStableWarmMs: 0, isUndo: true })

/**
 * Merges the limits of a later layer into earlier ones. The share of requests that may fail can be set in two ways; a
 * layer that sets one has set the other, and of one that sets both the stricter applies.
 */
function limitsWith(below: JudgeLimits, over: NonNullable<PlanOptions['limits']>): JudgeLimits {
  const { maxErrorRatio: errors, minSuccessRatio: success } = over
  const said = [
    ...(errors === undefined ? [] : [errors]),
    ...(success === undefined ? [] : [othersOf(success)]),
  ]
  if (said.length === 0) return { ...below, ...defined(over) }
  const maxErrorRatio = Math.min(...said)
  return { ...below, ...defined(over), maxErrorRatio, minSuccessRatio: othersOf(maxErrorRatio) }
}

/** The complement to 1, without the rounding errors of binary fractions. */
const othersOf = (ratio: number): number => Number((1 - ratio).toFixed(12))

const defined = <T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

/** The judged steps that end before their first judgment. */
const shortSteps = ({ steps, metricsEveryMs }: Pick<Plan, 'steps' | 'metricsEveryMs'>): string[] =>
  steps.flatMap(({ analysis, holdMs, weight }, i) =>
    analysis && holdMs < metricsEveryMs
      ? [
          `step ${i + 1} (${weightText(weight)}) holds for ${duration(holdMs)}: a step that is judged must hold for at least ${duration(metricsEveryMs)}, the time between two judgments (metricsEvery)`,
        ]
      : [],
  )

function mistakesIn({ steps, maxTimeMs, hooks, metricsEveryMs, skipAnalysis }: Plan): string[] {
  const holdMs = steps.reduce((sum, each) => sum + each.holdMs, 0)
  const weights = steps.map(({ weight }) => weight)
  const falling = weights.findIndex((weight, i) => i > 0 && weight < (weights[i - 1] ?? 0))
  const names = hooks.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  return [
    ...(falling > 0
      ? [
          `step ${falling + 1} has ${weightText(weights[falling] ?? 0)}, less than the ${weightText(weights[falling - 1] ?? 0)} before it`,
        ]
      : []),
    ...(maxTimeMs < holdMs
      ? [`the steps take ${duration(holdMs)} in total, but maxTime is ${duration(maxTimeMs)}`]
      : []),
    ...(twice === undefined ? [] : [`two hooks are named ${twice}`]),
    ...(skipAnalysis ? [] : shortSteps({ steps, metricsEveryMs })),
  ]
}
