import { AppError } from '../../../../base/index.ts'
import type { ServiceChange, ServiceRecord, ServiceStore } from '../../../../engine/deployments/index.ts'
import { readDoneBy, storedActor } from '../stored-actor.ts'
import type { Access, Participant, Writing } from '../access.ts'

export const serviceStore = ({ query, run }: Access): ServiceStore => ({
  find: (name) =>
    run(async () => {
      const row = await query.selectFrom('services').selectAll().where('name', '=', name).executeTakeFirst()
      if (!row) return null
      return {
        name: row.name,
        stableReleaseId: row.stable_release_id,
        instances: row.instances,
        automationStopped:
          row.automation_stopped === null
            ? null
            : readDoneBy<NonNullable<ServiceRecord['automationStopped']>>(row.automation_stopped, 'by'),
        scaling: row.scaling === null ? null : readScaling(row.scaling),
        endedEmergencyKey: row.ended_emergency,
        revision: row.revision,
      }
    }),
})

function readScaling(json: string): ServiceRecord['scaling'] {
  const scaling = JSON.parse(json) as NonNullable<ServiceRecord['scaling']>
  const { pending } = scaling
  return { ...scaling, pending: pending && { ...pending, by: storedActor(pending.by) } }
}

export const serviceParticipant: Participant<ServiceChange> = {
  kinds: { putService: true },
  async apply(transaction, changes) {
    for (const { service } of changes) await putService(transaction, service)
  },
}

async function putService(transaction: Writing, service: ServiceRecord): Promise<void> {
  const { name, stableReleaseId, instances, automationStopped, scaling, endedEmergencyKey, revision } =
    service
  const changes = {
    stable_release_id: stableReleaseId,
    instances,
    automation_stopped: automationStopped && JSON.stringify(automationStopped),
    scaling: scaling && JSON.stringify(scaling),
    ended_emergency: endedEmergencyKey,
    revision,
  }
  const { numInsertedOrUpdatedRows: count } = await transaction
    .insertInto('services')
    .values({ name, ...changes })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet(changes).where('services.revision', '<', revision),
    )
    .executeTakeFirstOrThrow()
  if (count === 0n)
    throw new AppError(
      'CONFLICT',
      `${name} is already at revision ${revision} or later: someone else changed it in the meantime.`,
      { details: { service: name, revision } },
    )
}
