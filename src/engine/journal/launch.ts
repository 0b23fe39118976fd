import type { Clock, Log } from '../../base/index.ts'
import type { NoticeBoard } from './notice-board.ts'
import type { Journal, Launch } from './ports.ts'

/** Puts this launch on record, and says on screens how the one before it ended. */
export async function recordLaunch(
  { epoch, version, startedAtMs }: Omit<Launch, 'stoppedAtMs'>,
  { journal, notices, clock, log }: { journal: Journal; notices: NoticeBoard; clock: Clock; log: Log },
): Promise<void> {
  await notices.load()
  await journal.launched({ epoch, version, startedAtMs })
  const before = await journal.launchBefore(epoch)
  const wasKilled = before.ok && before.value !== null && before.value.stoppedAtMs === null
  notices.post(
    wasKilled
      ? {
          severity: 'warning',
          text: 'The engine started again after a run that ended without shutting down',
          link: '/settings/about',
        }
      : { severity: 'info', text: `The engine started, version ${version}`, link: '/settings/about' },
  )
  log.info('engine started', { epoch, atMs: clock.nowMs() })
}
