import { builtInChecks, judgeOf, type Plan, type Validation } from '../model/deployments.ts'
import type { WayBack } from '../model/way-back.ts'
import { weightText } from './shares.ts'
import { duration } from './time.ts'

/** The settings of a plan, as screens and the command line label them. */
export const planLabels = {
  judge: 'Judge',
  maxErrorRatio: 'Maximum error rate',
  maxLatencyRegression: 'Maximum p95 increase',
  minSamples: 'Minimum requests',
  warmUp: 'Warm-up',
  metricsEvery: 'Judged every',
  strikes: 'Consecutive failures',
  maxInstanceFailures: 'Instance failures',
  onFailure: 'On failure',
  onInconclusive: 'If inconclusive',
  maxTime: 'Maximum duration',
} as const

/** What a plan does with a candidate that fails, or that the judge cannot decide on. */
export const planOutcomes = {
  pause: 'pause for a decision',
  promote: 'continue anyway',
  rollback: 'roll back',
} as const satisfies Record<Plan['onInconclusive'], string>

/** The judge of a plan: `threshold, version 1`. */
export function judgeText(plan: Pick<Plan, 'judge'>): string {
  const { name, version } = judgeOf(plan)
  return `${name}, version ${version}`
}

/** How a plan judges: the judge, its interval and what rolls a candidate back, as sentences without full stops. */
export function judgingText(plan: Plan): string[] {
  const { limits, metricsEveryMs, steps, skipAnalysis } = plan
  if (skipAnalysis || steps.every(({ analysis }) => !analysis)) return []
  const { warmUpMs, strikes, minSamples, maxInstanceFailures } = limits
  const warmUp = warmUpMs > 0 ? `, after a warm-up of ${duration(warmUpMs)}` : ''
  return [
    `${planLabels.judge}: ${judgeText(plan)}`,
    `${planLabels.metricsEvery} ${duration(metricsEveryMs)}${warmUp}, once it has ${minSamples} requests`,
    strikes === 1
      ? 'The first failure (a judgment over a limit) rolls it back'
      : `${strikes} consecutive failures (judgments over the same limit) roll it back`,
    'With enough traffic, a clear failure rolls it back within 15 s, even during warm-up',
    maxInstanceFailures === undefined || maxInstanceFailures > 0
      ? `More than ${maxInstanceFailures ?? 2} instance failures roll it back`
      : 'The first instance failure rolls it back',
  ]
}

/** Which steps a first release skips and why, as a sentence without a full stop; empty when it skips none. */
export function skippedText({ skipped }: Pick<Plan, 'skipped'>): string {
  if (!skipped) return ''
  const { steps } = skipped
  const weights = steps.map(({ weight }) => weightText(weight)).join(', ')
  const what = steps.length === 1 ? `The step (${weights}) is` : `The ${steps.length} steps (${weights}) are`
  return `${what} skipped: there is no stable release to compare with. It gets all traffic at once when its checks pass and it is healthy`
}

/** What a new deployment costs while an old release is kept warm, as a sentence without a full stop; empty when none is. */
export const endsWarmText = (wayBack: Pick<WayBack, 'kind' | 'to'> | null | undefined): string =>
  wayBack?.kind === 'warm' && wayBack.to !== null
    ? `${wayBack.to} is still kept warm and stops now. Returning to it then takes an undo, which starts it first`
    : ''

/** What a plan leaves unjudged, as sentences without full stops; none when every step is judged and the service has checks. */
export function missingGates(
  { steps, skipAnalysis, skipped }: Pick<Plan, 'steps' | 'skipAnalysis' | 'skipped'>,
  validation: Pick<Validation, 'results'> | null,
): string[] {
  const unjudged = steps.flatMap(({ analysis }, index) => (analysis ? [] : [index + 1]))
  const own = validation?.results.filter(({ name }) => !builtInChecks.some((each) => each === name))
  return [
    ...(skipped
      ? []
      : skipAnalysis || unjudged.length === steps.length
        ? ['No step is judged: the release is promoted without a quality gate']
        : unjudged.length > 0
          ? [
              `Step${unjudged.length === 1 ? '' : 's'} ${unjudged.join(', ')} ${unjudged.length === 1 ? 'is' : 'are'} not judged`,
            ]
          : []),
    ...(own?.length === 0 ? ['Only the built-in checks run: no checks are configured for this service'] : []),
  ]
}

/** Requests that each step may expect at the service's current rate, rounded to two digits. */
const expectedRequests = ({ steps }: Pick<Plan, 'steps'>, requestsPerSecond: number): number[] =>
  steps.map(({ weight, holdMs }) => Number(((requestsPerSecond * weight * holdMs) / 100_000).toPrecision(2)))

/** "About 90 requests per step; 100 needed"; empty where no step is judged, or the rate is not known. */
export function trafficForecast(plan: Plan, requestsPerSecond: number | null | undefined): string {
  const { steps, skipAnalysis, limits } = plan
  if (requestsPerSecond === null || requestsPerSecond === undefined || skipAnalysis) return ''
  const judged = expectedRequests(plan, requestsPerSecond).filter((_, index) => steps[index]?.analysis)
  if (judged.length === 0) return ''
  const [least, most] = [Math.min(...judged), Math.max(...judged)]
  const count = least === most ? `${least}` : `${least} to ${most}`
  return `About ${count} requests per step at the current traffic; ${limits.minSamples} needed`
}

/** Whether the current traffic is too little for some judged step. */
export const isTrafficShort = (plan: Plan, requestsPerSecond: number | null | undefined): boolean =>
  typeof requestsPerSecond === 'number' &&
  !plan.skipAnalysis &&
  expectedRequests(plan, requestsPerSecond).some(
    (count, index) => plan.steps[index]?.analysis === true && count < plan.limits.minSamples,
  )
