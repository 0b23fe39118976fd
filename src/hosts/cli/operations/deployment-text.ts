import {
  duration,
  judgingText,
  missingGates,
  planLabels,
  planOutcomes,
  reachedText,
  readableLog,
  releaseChange,
  routerText,
  shownPhaseName,
  skippedText,
  terminalText,
  took,
  trafficForecast,
  verdictNames,
  weightText,
  writtenShare,
  type Capabilities,
  type Deployment,
  type Plan,
  type Validation,
} from '../../../contract/index.ts'
import { table } from '../layout/index.ts'
import type { Output } from '../output.ts'
import type { Times } from '../times.ts'
import type { Session } from './session.ts'

type TextSession = Pick<Session, 'out' | 'times' | 'next'>

/** `checkout: r41 → r42`, or `checkout: r1 (first release)`. */
export const changeText = ({
  service,
  stableReleaseId,
  candidateReleaseId,
}: Pick<Deployment, 'service' | 'stableReleaseId' | 'candidateReleaseId'>): string =>
  `${service}: ${releaseChange({ stableReleaseId, candidateReleaseId })}`

/** `step 2 of 3, 25%` in the canary, `at step 2 of 3 (25%)` where it was rolled back; the share of traffic otherwise. */
function stepText(deployment: Deployment): string {
  const { phase, stepIndex, plan, weight } = deployment
  if (deployment.reached) return reachedText(deployment)
  if ((phase !== 'stepping' && phase !== 'paused') || plan.skipped || plan.isUndo)
    return weight > 0 ? weightText(weight) : ''
  return `step ${Math.min(stepIndex + 1, plan.steps.length)} of ${plan.steps.length}, ${weightText(weight)}`
}

/** `in canary, step 2 of 3, 25%`, `returning to r1, 100%` in an undo, which has no steps, `rolled back at step 2 of 3 (25%)`, `promoted`. */
export function standingText(deployment: Deployment): string {
  const at = stepText(deployment)
  const { phase, plan, candidateReleaseId } = deployment
  const isUndoing = phase === 'stepping' && plan.isUndo === true
  const name = isUndoing ? `returning to ${candidateReleaseId}` : shownPhaseName(deployment)
  if (at === '') return name
  return `${name}${deployment.reached ? ' ' : ', '}${at}`
}

const columns = [
  { heading: 'ID' },
  { heading: 'STARTED' },
  { heading: 'CHANGE' },
  { heading: 'PHASE' },
  { heading: 'AT', isProse: true },
  { heading: 'BY', dropAt: 1 },
]

/** Deployments under each other. */
export function deploymentsText(deployments: readonly Deployment[], out: Output, times: Times): string {
  if (deployments.length === 0) return 'No deployments.\n'
  const rows = deployments.map((each) => [
    each.id,
    times.moment(each.createdAtMs),
    terminalText(changeText(each)),
    shownPhaseName(each),
    stepText(each),
    terminalText(each.createdBy.name),
  ])
  return table(columns, rows, { width: out.width, style: (heading) => out.style('dim', heading) })
}

/** What a promotion leaves running: until when traffic can return at once, and how. Nothing where nothing is kept. */
export function warmText(
  { service, stableReleaseId, keptWarmUntilMs: untilMs }: Deployment,
  { times, next }: Pick<TextSession, 'times' | 'next'>,
): string[] {
  if (typeof untilMs !== 'number' || stableReleaseId === null) return []
  return [
    `${stableReleaseId} is kept warm until ${times.day(untilMs)}. To return to it at once, run: ${next(`rollback ${service}`)}`,
  ]
}

/** One deployment with its plan, judgement and log. */
export function deploymentText(deployment: Deployment, session: TextSession): string {
  const { out, times } = session
  const { plan, judgement, validation, log } = deployment
  return [
    `${out.style('bold', terminalText(changeText(deployment)))}  (${deployment.id})\n`,
    `${standingText(deployment)}${deployment.reason ? `: ${terminalText(deployment.reason)}` : ''}\n`,
    `by ${terminalText(deployment.createdBy.name)}, ${times.day(deployment.createdAtMs)}`,
    deployment.why ? `, because: ${terminalText(deployment.why)}\n` : '\n',
    ...warmText(deployment, session).map((line) => `${line}\n`),
    `\n${planText(plan, validation, out, { skippedSteps: deployment.skippedSteps })}`,
    validation ? `\n${validationText(validation, out)}` : '',
    judgement
      ? `\n${out.style('bold', 'Judgment')}: ${terminalText(judgement.text)}\n${judgement.findings.map(({ text, verdict }) => `  ${verdictNames[verdict]}: ${terminalText(text)}\n`).join('')}`
      : '',
    failureText(deployment, session),
    log.length > 0 ? `\n${out.style('bold', 'Log')}\n` : '',
    ...readableLog(log).map(
      ({ atMs, actor, text }) =>
        `  ${times.moment(atMs)}  ${terminalText(actor.name)}  ${terminalText(text)}\n`,
    ),
  ].join('')
}

/** What instances of a candidate that was taken back did and printed last. */
function failureText(
  { failure, service, candidateReleaseId }: Deployment,
  { out, next }: TextSession,
): string {
  if (!failure || failure.instances.length + failure.lines.length === 0) return ''
  return [
    `\n${out.style('bold', 'Instances')}\n`,
    ...failure.instances.map(({ id, reason, restartCount }) => {
      const restarts =
        restartCount === 0 ? '' : `, restarted ${restartCount === 1 ? 'once' : `${restartCount} times`}`
      return `  ${terminalText(id)}: ${terminalText(reason)}${restarts}\n`
    }),
    ...(failure.lines.length > 0 ? ['  Last lines of their logs:\n'] : []),
    ...failure.lines.map(({ text }) => `    ${terminalText(text)}\n`),
    `  All logs: ${next(`logs ${service} --release ${candidateReleaseId}`)}\n`,
  ].join('')
}

/** What will be done, in lines; with what is known of the traffic now and of the platform. */
export function planText(
  plan: Plan,
  validation: Validation | null,
  out: Pick<Output, 'width'>,
  {
    requestsPerSecond = null,
    capabilities,
    skippedSteps = [],
  }: {
    requestsPerSecond?: number | null | undefined
    capabilities?: Capabilities | undefined
    skippedSteps?: readonly number[] | undefined
  } = {},
): string {
  const { preset, steps, maxTimeMs, onFailure, onInconclusive, limits, instances, resources, skipped } = plan
  const rows = (skipped ? [] : steps).map(({ weight, holdMs, analysis, gate }, k) => [
    `${k + 1}.`,
    weightText(weight),
    holdMs > 0 ? `for ${duration(holdMs)}` : 'no hold',
    [
      analysis && !plan.skipAnalysis ? 'judged' : 'not judged',
      ...(gate ? ['waits for approval first'] : []),
      ...(skippedSteps.includes(k) ? ['skipped'] : []),
    ].join(', '),
  ])
  const room = roomText(resources)
  const { maxErrorRatio, maxLatencyRegression } = limits
  const forecast = trafficForecast(plan, requestsPerSecond)
  const judging = [
    `${planLabels.maxErrorRatio}: ${writtenShare(maxErrorRatio)}`,
    `${planLabels.maxLatencyRegression}: ${writtenShare(maxLatencyRegression)}`,
    ...judgingText(plan),
    `${planLabels.onFailure}: ${planOutcomes[onFailure]}`,
    `${planLabels.onInconclusive}: ${planOutcomes[onInconclusive]}`,
  ]
  const sentences = [
    ...(skipped ? [skippedText(plan)] : judging),
    ...(forecast === '' ? [] : [forecast]),
    ...(room === '' ? [] : [`Host resource limits: ${room}`]),
    ...missingGates(plan, validation),
    ...(capabilities ? routerText(capabilities) : []),
  ]
  return [
    `Plan: ${skipped ? 'first release' : `canary${preset ? `, ${preset}` : ''}`}, ${instances} instance${instances === 1 ? '' : 's'}, at most ${duration(maxTimeMs)}\n`,
    rows.length === 0 ? '' : table([{}, {}, {}, { isProse: true }], rows, { width: out.width, indent: 2 }),
    ...sentences.map((sentence) => `  ${sentence}\n`),
  ].join('')
}

/** `CPU 70%, memory 75%`; empty where a plan does not look. */
const roomText = (resources: Plan['resources']): string =>
  [
    ['CPU', resources?.maxCpuRatio],
    ['memory', resources?.maxMemoryRatio],
    ['disk', resources?.maxDiskRatio],
  ]
    .flatMap(([name, most]) => (typeof most === 'number' ? [`${name} ${writtenShare(most)}`] : []))
    .join(', ')

const outcomeMarks = { passed: 'ok', warning: 'warning', failed: 'FAILED' } as const

/** Each check with its outcome, failed ones with what they printed, and the sum. */
export function validationText(
  { canDeploy, results, passed, failed, warnings, durationMs }: Validation,
  out: Output,
): string {
  const rows = results.map(({ name, outcome, text, critical }) => [
    outcomeMarks[outcome],
    terminalText(name),
    `${terminalText(text)}${critical || outcome === 'passed' ? '' : ' (optional)'}`,
  ])
  const outputs = results
    .filter(({ outcome, output }) => outcome === 'failed' && output.trim() !== '')
    .map(({ name, output }) => `\n  ${terminalText(name)} printed:\n${indented(output)}`)
  const sum = `${passed} passed, ${failed} failed, ${warnings} warning${warnings === 1 ? '' : 's'}, in ${took(durationMs)}`
  const checks = table([{}, {}, { isProse: true }], rows, { width: out.width, indent: 2 })
  const verdict = canDeploy ? out.style('green', 'ready to deploy') : out.style('red', 'not ready to deploy')
  return `Checks: ${verdict} (${sum})\n${checks}${outputs.join('')}`
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(-20)
    .map((line) => `    ${terminalText(line)}\n`)
    .join('')
