import { dialog } from 'electron'
import type { LiveRecords, RollbackOutcome, ServiceState } from '../src/contract/index.ts'
import type { News } from './notifications.ts'

/** A service with a candidate, and what an emergency rollback gives all its traffic to. */
export interface WayBack {
  service: string
  from: string
  to: string
  environment: string
}

/** Of every service that has both, by name: a first release has nothing to go back to. */
export function waysBack(records: Partial<LiveRecords>): WayBack[] {
  return Object.entries(records)
    .flatMap(([key, record]) => (key.startsWith('service:') ? [record as ServiceState] : []))
    .flatMap(({ name, candidateReleaseId, stableReleaseId, environment }) =>
      candidateReleaseId === null || stableReleaseId === null
        ? []
        : [{ service: name, from: candidateReleaseId, to: stableReleaseId, environment }],
    )
    .sort((a, b) => a.service.localeCompare(b.service))
}

/** Target and effect on one line. */
export const wayText = ({ service, from, to }: WayBack): string => `${service}: ${from} → ${to}`

/** Orders it at the engine; rejects with the reason when nobody answered. */
export type RollBack = (services: string[]) => Promise<RollbackOutcome[]>

/**
 * Asks once more, with every target and effect in view, then orders the emergency rollback and gives what came of it;
 * undefined when the person left it. Works without any window.
 */
export async function rollBackWhenConfirmed(
  ways: readonly WayBack[],
  order: RollBack,
): Promise<News | undefined> {
  const subject = ways.length === 1 ? (ways[0]?.service ?? '') : `${ways.length} services`
  const isProduction = ways.some(({ environment }) => environment === 'production')
  const { response } = await dialog.showMessageBox({
    type: 'warning',
    title: 'Emergency rollback',
    message: `Roll back ${subject}${isProduction ? ' in production' : ''}?`,
    detail: `${ways.map(wayText).join('\n')}\n\nAll traffic goes back at once. Automation stops there until somebody resumes it.`,
    buttons: [`Roll back ${subject}`, 'Leave it'],
    // Neither Enter nor Esc rolls anything back unread.
    defaultId: 1,
    cancelId: 1,
    noLink: true,
  })
  if (response !== 0) return undefined
  try {
    return newsOf(await order(ways.map(({ service }) => service)))
  } catch (failure) {
    const text = failure instanceof Error ? failure.message : String(failure)
    return {
      title: `Not rolled back: ${subject}`,
      isUrgent: true,
      text: `${text} Order it again, or run: pilothouse rollback --all`,
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
    text: [...failed, ...done].map(({ text, tookMs }) => `${text} (${Math.round(tookMs)} ms)`).join('\n'),
    path: outcomes.length === 1 && only ? `/services/${encodeURIComponent(only.service)}` : '/services',
  }
}
