import type { Deployment, LogEntry } from '../../../contract/index.ts'
import { standingText } from './deployment-text.ts'
import { harmless, momentText } from './words.ts'

/**
 * What a watcher reads when a deployment went from `before` to `now`, a line for each event: a changed phase or step,
 * a judgement in other words, and what was written to its log. Nothing when nothing of that changed.
 */
export function progressLines(before: Deployment | null, now: Deployment): string[] {
  const logged = now.log.slice(before?.log.length ?? 0)
  const lines = logged.map(({ atMs, text }) => ({ atMs, text: harmless(text) }))
  const atMs = logged.at(-1)?.atMs ?? now.judgement?.atMs ?? now.createdAtMs
  const hasMoved =
    !before ||
    before.phase !== now.phase ||
    before.stepIndex !== now.stepIndex ||
    before.weight !== now.weight
  if (hasMoved) {
    lines.push({ atMs, text: `${standingText(now)}${reasonOf(now, logged)}` })
  }
  const isNewlyJudged = now.judgement?.text !== before?.judgement?.text
  if (now.judgement && isNewlyJudged && !isSaidIn(logged, now.judgement.text))
    lines.push({
      atMs: now.judgement.atMs,
      text: `${now.judgement.decision}: ${harmless(now.judgement.text)}`,
    })
  return lines.map((line) => `${momentText(line.atMs).slice(11)}  ${line.text}`)
}

/** The reason, unless the log has just said it. */
const reasonOf = ({ reason }: Deployment, logged: readonly LogEntry[]): string =>
  reason === '' || isSaidIn(logged, reason) ? '' : ` (${harmless(reason)})`

const isSaidIn = (logged: readonly LogEntry[], text: string): boolean =>
  logged.some((entry) => entry.text.includes(text))

/** How a watched deployment ends, for scripts: 0 promoted, 1 rolled back or failed, 4 paused; null while it goes on. */
export function watchOutcome({ phase }: Deployment): 0 | 1 | 4 | null {
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
    case 'promoting':
    case 'rolling_back':
      return null
  }
}
