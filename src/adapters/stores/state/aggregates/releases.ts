import { AppError } from '../../../../base/index.ts'
import type { Release } from '../../../../contract/index.ts'
import { canonicalJson } from '../../../../engine/audit/index.ts'
import type { ReleaseChange, ReleaseStore } from '../../../../engine/releases/index.ts'
import { readDoneBy } from '../stored-actor.ts'
import type { Access, Participant, Writing } from '../access.ts'

export const releaseStore = ({ query, run }: Access): ReleaseStore => ({
  find: (service, id) =>
    run(async () => {
      const row = await query
        .selectFrom('releases')
        .select('body')
        .where('service', '=', service)
        .where('id', '=', id)
        .executeTakeFirst()
      if (!row)
        throw new AppError('NOT_FOUND', `${service} has no release "${id}".`, { details: { service, id } })
      return readDoneBy<Release>(row.body, 'createdBy')
    }),
  newest: (service, limit) =>
    run(async () => {
      const rows = await query
        .selectFrom('releases')
        .select('body')
        .where('service', '=', service)
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ body }) => readDoneBy<Release>(body, 'createdBy'))
    }),
})

export const releaseParticipant: Participant<ReleaseChange> = {
  kinds: { addRelease: true },
  async apply(transaction, changes) {
    for (const { release } of changes) await addRelease(transaction, release)
  },
}

/** The same release twice is fine; another one under its name is not. */
async function addRelease(transaction: Writing, release: Release): Promise<void> {
  const { service, id } = release
  const kept = await transaction
    .selectFrom('releases')
    .select('body')
    .where('service', '=', service)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!kept) {
    await transaction
      .insertInto('releases')
      .values({ service, id, body: JSON.stringify(release) })
      .execute()
    return
  }
  const contentOf = ({ artifact, parameters }: Release) => canonicalJson({ artifact, parameters })
  if (contentOf(JSON.parse(kept.body) as Release) !== contentOf(release))
    throw new AppError(
      'CONFLICT',
      `${service} already has a release "${id}" with different content. Releases are immutable: give this one a new name.`,
      { details: { service, id } },
    )
}
