import { dialog } from 'electron'
import {
  isEmergencyWay,
  recordsOf,
  wayBackText,
  waysBack,
  type LiveRecords,
  type RollbackOutcome,
  type ServiceWayBack,
} from '../src/contract/index.ts'
import type { News } from './notifications.ts'

/** What the engine offers to roll back, of all live records. */
export const waysBackIn = (records: Partial<LiveRecords>): ServiceWayBack[] =>
  waysBack(recordsOf(records, 'service'))

/** Target and effect on one line. */
export const wayText = (way: ServiceWayBack): string => `${way.service}: ${wayBackText(way)}`

/** What the engine did, or that an undo has begun. */
export type RollbackAnswer =
  { kind: 'outcomes'; outcomes: readonly RollbackOutcome[] } | { kind: 'undo'; deploymentId: string }

/** Orders it at the engine; rejects with the reason when nobody answered. */
export type RollBack = (ways: readonly ServiceWayBack[]) => Promise<RollbackAnswer>

/**
 * Asks once more, with every target and effect in view, then orders the emergency rollback and gives what came of it;
 * undefined when the person canceled. Works without any window.
 */
export async function rollBackWhenConfirmed(
  ways: readonly ServiceWayBack[],
  order: RollBack,
): Promise<News | undefined> {
  const subject = ways.length === 1 ? (ways[0]?.service ?? '') : `${ways.length} services`
  const isUndo = !ways.every(isEmergencyWay)
  const verb = isUndo ? 'Undo' : 'Roll back'
  const isProduction = ways.some(({ environment }) => environment === 'production')
  const { response } = await dialog.showMessageBox({
    type: 'warning',
    title: isUndo ? 'Undo' : 'Emergency rollback',
    message: `${verb} ${subject}${isProduction ? ' in production' : ''}?`,
    detail: `${ways.map((way) => `${wayText(way)}. ${way.text}.`).join('\n')}\n\n${isUndo ? 'Traffic moves when the instances are healthy.' : 'All traffic goes back at once. Automation stays off until someone resumes it.'}`,
    buttons: [`${verb} ${subject}`, 'Cancel'],
    // Neither Enter nor Esc rolls anything back unread.
    defaultId: 1,
    cancelId: 1,
    noLink: true,
  })
  if (response !== 0) return undefined
  try {
    const answer = await order(ways)
    if (answer.kind === 'outcomes') return newsOf(answer.outcomes)
    return {
      title: `Undo started: ${subject}`,
      isUrgent: false,
      text: ways.map(({ text }) => text).join('\n'),
      path: `/deployments/${encodeURIComponent(answer.deploymentId)}`,
    }
  } catch (failure) {
    const text = failure instanceof Error ? failure.message : String(failure)
    return {
      title: `Not rolled back: ${subject}`,
      isUrgent: true,
      text: `${text} Try again, or run: ${isUndo ? `pilothouse deployments undo ${subject}` : `pilothouse rollback ${ways.length === 1 ? subject : '--all'}`}`,
      path: '/services',
    }
  }
}

/** What routers confirmed, the worst first. */
export function newsOf(outcomes: readonly RollbackOutcome[]): News {
  const failed = outcomes.filter(({ ok }) => !ok)
  const done = outcomes.filter(({ ok }) => ok)
  const [only] = outcomes
  return {
    title:
      failed.length > 0
        ? `Not rolled back: ${failed.map(({ service }) => service).join(', ')}`
        : outcomes.length === 0
          ? 'There was nothing to roll back'
          : `Rolled back: ${done.map(({ service }) => service).join(', ')}`,
    isUrgent: failed.length > 0,
    text: [...failed, ...done].map(lineOf).join('\n'),
    path: outcomes.length === 1 && only ? `/services/${encodeURIComponent(only.service)}` : '/services',
  }
}

const lineOf = ({ text, tookMs, nextCommand }: RollbackOutcome): string =>
  `${text} (${Math.round(tookMs)} ms)${nextCommand ? `. Run: ${nextCommand}` : ''}`
