import { builtInChecks, judgeOf, type Plan, type Validation } from '../model/deployments.ts'
import type { WayBack } from '../model/way-back.ts'
import { weightText } from './shares.ts'
import { duration } from './time.ts'

/** The judge of a plan: `threshold, version 1`. */
export function judgeText(plan: Pick<Plan, 'judge'>): string {
  const { name, version } = judgeOf(plan)
  return `${name}, version ${version}`
}

/** By whom, how often and how patiently a plan judges: sentences for a person, without their full stops. */
export function judgingText(plan: Plan): string[] {
  const { limits, metricsEveryMs, steps, skipAnalysis } = plan
  if (skipAnalysis || steps.every(({ analysis }) => !analysis)) return []
  const { warmUpMs, strikes, minSamples, maxInstanceFailures } = limits
  const warmUp = warmUpMs > 0 ? `, after a warm-up of ${duration(warmUpMs)}` : ''
  const checks = strikes === 1 ? 'One check' : `${strikes} checks in a row`
  return [
    `Judged by: ${judgeText(plan)}`,
    `Checked every ${duration(metricsEveryMs)}${warmUp}, once it has ${minSamples} requests`,
    `${checks} over a limit roll${strikes === 1 ? 's' : ''} it back`,
    'With enough traffic, a clear failure rolls it back within 15 s, even during warm-up',
    maxInstanceFailures === undefined || maxInstanceFailures > 0
      ? `More than ${maxInstanceFailures ?? 2} instance failures roll it back`
      : 'The first instance failure rolls it back',
  ]
}

/** Which steps a first release skips and why: a sentence without its full stop, empty where none are skipped. */
export function skippedText({ skipped }: Pick<Plan, 'skipped'>): string {
  if (!skipped) return ''
  const { steps } = skipped
  const weights = steps.map(({ weight }) => weightText(weight)).join(', ')
  const what = steps.length === 1 ? `The step (${weights}) is` : `The ${steps.length} steps (${weights}) are`
  return `${what} skipped: there is no stable release to compare with. It gets all traffic at once when its checks pass and it is healthy`
}

/**
 * What a new deployment costs while the release before is kept warm: a sentence without its full stop, empty where none
 * is.
 */
export const endsWarmText = (wayBack: Pick<WayBack, 'kind' | 'to'> | null | undefined): string =>
  wayBack?.kind === 'warm' && wayBack.to !== null
    ? `${wayBack.to} is still kept warm and stops now: from then on, returning to it takes an undo, which starts it first`
    : ''

/** What of a release nobody judges: sentences without their full stops, none where every step and a check of its own do. */
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

/** Requests that each step may expect at the service's present rate, rounded to two digits. */
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

/** Whether the traffic of now is too little for some judged step. */
export const isTrafficShort = (plan: Plan, requestsPerSecond: number | null | undefined): boolean =>
  typeof requestsPerSecond === 'number' &&
  !plan.skipAnalysis &&
  expectedRequests(plan, requestsPerSecond).some(
    (count, index) => plan.steps[index]?.analysis === true && count < plan.limits.minSamples,
  )
