import {
  decisionNames,
  noRepeatLines,
  readableLog,
  terminalText,
  type Deployment,
  type LogEntry,
} from '../../../contract/index.ts'
import type { Times } from '../times.ts'
import { standingText } from './deployment-text.ts'

/**
 * What a watcher reads when a deployment went from `before` to `now`, a line for each event: a changed phase or step,
 * a judgement in other words, and what was written to its log. Nothing when nothing of that changed.
 */
export function progressLines(before: Deployment | null, now: Deployment, times: Times): string[] {
  const logged = readableLog(now.log.slice(before?.log.length ?? 0), before?.log)
  const lines = logged.map(({ atMs, text }) => ({ atMs, text: terminalText(text) }))
  const atMs = logged.at(-1)?.atMs ?? now.judgement?.atMs ?? now.createdAtMs
  const hasMoved =
    !before ||
    before.phase !== now.phase ||
    before.stepIndex !== now.stepIndex ||
    before.weight !== now.weight
  if (hasMoved) {
    lines.push({ atMs, text: `${standingText(now)}${reasonOf(now)}` })
  }
  const isNewlyJudged = now.judgement?.text !== before?.judgement?.text
  if (now.judgement && isNewlyJudged && !isSaidIn(now.log, now.judgement.text))
    lines.push({
      atMs: now.judgement.atMs,
      text: `${decisionNames[now.judgement.decision]}: ${terminalText(now.judgement.text)}`,
    })
  return lines.sort((a, b) => a.atMs - b.atMs).map((line) => `${times.moment(line.atMs)}  ${line.text}`)
}

/** The reason, unless the log has just said it. */
const reasonOf = ({ reason, log }: Deployment): string =>
  reason === '' || isSaidIn(log, reason) ? '' : ` (${terminalText(reason)})`

const isSaidIn = (log: readonly LogEntry[], text: string): boolean =>
  log.slice(-noRepeatLines).some((entry) => entry.text.includes(text))

/** How a watched deployment ends, as the last line that a person reads; empty while it goes on. */
export function outcomeText(deployment: Deployment): string {
  const { service, candidateReleaseId: candidate, stableReleaseId: stable, phase } = deployment
  const isStable = (release: string) => `${release} is the stable release of ${service}`
  switch (watchOutcome(deployment)) {
    case 0:
      return `Promoted: ${isStable(candidate)}`
    case 1:
      return `${phase === 'failed' ? 'Failed' : 'Rolled back'}: ${stable === null ? `${service} has no stable release` : isStable(stable)}`
    case 4:
      return `Paused: ${candidate} is waiting for your decision`
    case null:
      return ''
  }
}

/**
 * How a watched deployment ends, for scripts: 0 once the candidate is the stable release, 1 rolled back or failed,
 * 4 paused; null while it goes on.
 */
export function watchOutcome({
  phase,
  isHandedOver,
}: Pick<Deployment, 'phase' | 'isHandedOver'>): 0 | 1 | 4 | null {
  switch (phase) {
    case 'promoted':
      return 0
    case 'rolled_back':
    case 'failed':
      return 1
    case 'paused':
      return 4
    case 'validating':
    case 'staging':
    case 'stepping':
    case 'rolling_back':
      return null
    case 'promoting':
      return isHandedOver ? 0 : null
  }
}
