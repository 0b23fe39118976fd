import type { Notice } from '../../../../contract/index.ts'
import type { Journal, JournalChange } from '../../../../engine/journal/index.ts'
import type { Access, Participant, Writing } from '../access.ts'
import type { NoticeRow } from '../tables.ts'

/** Notices and launches, as they are read. */
export const journalStore = ({ query, run }: Access): Pick<Journal, 'newest' | 'launchBefore'> => ({
  newest: (limit) =>
    run(async () => {
      const rows = await query
        .selectFrom('notices')
        .select(['id', 'at_ms', 'severity', 'text', 'link'])
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ at_ms: atMs, ...rest }) => ({ ...rest, atMs }))
    }),
  launchBefore: (epoch) =>
    run(async () => {
      const row = await query
        .selectFrom('launches')
        .select(['epoch', 'version', 'started_at_ms as startedAtMs', 'stopped_at_ms as stoppedAtMs'])
        .where('epoch', '!=', epoch)
        .where((eb) => {
          const own = eb.selectFrom('launches').select('seq').where('epoch', '=', epoch)
          return eb.or([eb('seq', '<', own), eb.not(eb.exists(own))])
        })
        .orderBy('seq', 'desc')
        .executeTakeFirst()
      return row ?? null
    }),
})

export const journalParticipant: Participant<JournalChange> = {
  kinds: { addNotice: true, replaceNotice: true, startLaunch: true, stopLaunch: true },
  async apply(transaction, changes) {
    for (const change of changes) await put(transaction, change)
  },
}

async function put(transaction: Writing, change: JournalChange): Promise<void> {
  switch (change.kind) {
    case 'addNotice':
      await transaction
        .insertInto('notices')
        .values(rowOf(change.notice))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
      return
    case 'replaceNotice':
      await transaction.deleteFrom('notices').where('id', '=', change.notice.id).execute()
      await transaction.insertInto('notices').values(rowOf(change.notice)).execute()
      return
    case 'startLaunch': {
      const { epoch, version, startedAtMs } = change.launch
      await transaction
        .insertInto('launches')
        .values({ epoch, version, started_at_ms: startedAtMs, stopped_at_ms: null })
        .onConflict((conflict) => conflict.column('epoch').doNothing())
        .execute()
      return
    }
    case 'stopLaunch':
      await transaction
        .updateTable('launches')
        .set({ stopped_at_ms: change.atMs })
        .where('epoch', '=', change.epoch)
        .execute()
  }
}

const rowOf = ({ atMs, ...rest }: Notice): NoticeRow => ({ ...rest, at_ms: atMs })
