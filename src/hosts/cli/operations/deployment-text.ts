import {
  reachedText,
  type Deployment,
  type DeploymentPhase,
  type Plan,
  type Validation,
} from '../../../contract/index.ts'
import type { Output } from '../output.ts'
import { columns, harmless, limitText, momentText, spanText } from './words.ts'

/** What each phase is called where a person reads it. */
export const phaseNames: Readonly<Record<DeploymentPhase, string>> = {
  validating: 'validating',
  staging: 'staging',
  stepping: 'stepping',
  paused: 'paused',
  promoting: 'promoting',
  promoted: 'promoted',
  rolling_back: 'rolling back',
  rolled_back: 'rolled back',
  failed: 'failed',
}

/** `checkout: r41 -> r42`. */
export const changeText = ({
  service,
  stableReleaseId,
  candidateReleaseId,
}: Pick<Deployment, 'service' | 'stableReleaseId' | 'candidateReleaseId'>): string =>
  `${service}: ${stableReleaseId ?? 'nothing'} -> ${candidateReleaseId}`

/** `step 2 of 3, 25 %` while it steps, `at step 2 of 3 (25 %)` where it was taken back; the share of traffic otherwise. */
export function stepText(deployment: Deployment): string {
  const { phase, stepIndex, plan, weight } = deployment
  if (deployment.reached) return reachedText(deployment)
  if (phase !== 'stepping' && phase !== 'paused') return weight > 0 ? `${weight} %` : ''
  return `step ${Math.min(stepIndex + 1, plan.steps.length)} of ${plan.steps.length}, ${weight} %`
}

/** `stepping, step 2 of 3, 25 %`, `rolled back at step 2 of 3 (25 %)`, `promoted`. */
export function standingText(deployment: Deployment): string {
  const at = stepText(deployment)
  if (at === '') return phaseNames[deployment.phase]
  return `${phaseNames[deployment.phase]}${deployment.reached ? ' ' : ', '}${at}`
}

/** Deployments under each other. */
export function deploymentsText(deployments: readonly Deployment[], out: Output): string {
  if (deployments.length === 0) return 'No deployments.\n'
  const rows = deployments.map((each) => [
    each.id,
    momentText(each.createdAtMs),
    harmless(changeText(each)),
    phaseNames[each.phase],
    stepText(each),
    harmless(each.createdBy),
  ])
  const heading = ['ID', 'BEGAN', 'CHANGE', 'PHASE', 'AT', 'BY']
  const [head = '', ...body] = columns([heading, ...rows]).split(/(?<=\n)/)
  return out.style('dim', head.trimEnd()) + '\n' + body.join('')
}

/** One deployment with its plan, judgement and log. */
export function deploymentText(deployment: Deployment, out: Output): string {
  const { plan, judgement, validation, log } = deployment
  return [
    `${out.style('bold', harmless(changeText(deployment)))}  (${deployment.id})\n`,
    `${standingText(deployment)}${deployment.reason ? `: ${harmless(deployment.reason)}` : ''}\n`,
    `by ${harmless(deployment.createdBy)} at ${momentText(deployment.createdAtMs)}`,
    deployment.why ? `, because: ${harmless(deployment.why)}\n` : '\n',
    `\n${planText(plan)}`,
    validation ? `\n${validationText(validation, out)}` : '',
    judgement
      ? `\n${out.style('bold', 'Judgement')}: ${harmless(judgement.text)}\n${judgement.findings.map(({ text, verdict }) => `  ${verdict}: ${harmless(text)}\n`).join('')}`
      : '',
    log.length > 0 ? `\n${out.style('bold', 'Log')}\n` : '',
    ...log.map(({ atMs, actor, text }) => `  ${momentText(atMs)}  ${harmless(actor)}  ${harmless(text)}\n`),
  ].join('')
}

/** What will be done, in lines. */
export function planText({
  preset,
  steps,
  maxTimeMs,
  onFailure,
  onInconclusive,
  limits,
  instances,
  resources,
}: Plan): string {
  const rows = steps.map(({ weight, holdMs, analysis, gate }, k) => [
    `  ${k + 1}.`,
    `${weight} %`,
    `for ${spanText(holdMs)}`,
    [analysis ? 'judged' : 'not judged', ...(gate ? ['waits for a person first'] : [])].join(', '),
  ])
  const room = roomText(resources)
  const { maxErrorRatio, maxLatencyRegression, minSamples } = limits
  return [
    `Plan: canary${preset ? `, ${preset}` : ''}, ${instances} instance${instances === 1 ? '' : 's'}, at most ${spanText(maxTimeMs)}\n`,
    columns(rows),
    `  errors at most ${limitText(maxErrorRatio)}, p95 at most ${limitText(maxLatencyRegression)} slower, from ${minSamples} requests on\n`,
    `  when it fails: ${onFailure === 'rollback' ? 'roll back' : 'pause'}; when nobody can tell: ${onInconclusive === 'rollback' ? 'roll back' : onInconclusive}\n`,
    ...(room === '' ? [] : [`  begins, and takes each step, while hosts are full by at most: ${room}\n`]),
  ].join('')
}

/** `CPU 70 %, memory 75 %`; empty where a plan does not look. */
const roomText = (resources: Plan['resources']): string =>
  [
    ['CPU', resources?.maxCpuRatio],
    ['memory', resources?.maxMemoryRatio],
    ['disk', resources?.maxDiskRatio],
  ]
    .flatMap(([name, most]) => (typeof most === 'number' ? [`${name} ${limitText(most)}`] : []))
    .join(', ')

const outcomeMarks = { passed: 'ok', warning: 'warning', failed: 'FAILED' } as const

/** Each check with its outcome, failed ones with what they printed, and the sum. */
export function validationText(
  { canDeploy, results, passed, failed, warnings, durationMs }: Validation,
  out: Output,
): string {
  const rows = results.map(({ name, outcome, text, critical }) => [
    `  ${outcomeMarks[outcome]}`,
    harmless(name),
    `${harmless(text)}${critical || outcome === 'passed' ? '' : ' (not critical)'}`,
  ])
  const outputs = results
    .filter(({ outcome, output }) => outcome === 'failed' && output.trim() !== '')
    .map(({ name, output }) => `\n  ${harmless(name)} printed:\n${indented(output)}`)
  const sum = `${passed} passed, ${failed} failed, ${warnings} warning${warnings === 1 ? '' : 's'}, in ${spanText(durationMs)}`
  const verdict = canDeploy ? out.style('green', 'can be deployed') : out.style('red', 'cannot be deployed')
  return `Checks: ${verdict} (${sum})\n${columns(rows)}${outputs.join('')}`
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(-20)
    .map((line) => `    ${harmless(line)}\n`)
    .join('')
