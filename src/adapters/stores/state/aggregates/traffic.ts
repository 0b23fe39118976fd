import type { Bin } from '../../../../contract/index.ts'
import type { TrafficChange, TrafficStore } from '../../../../engine/services/index.ts'
import type { Access, Participant } from '../access.ts'

export const trafficStore = ({ query, run }: Access): TrafficStore => ({
  minutesOf: (service) =>
    run(async () => {
      const rows = await query
        .selectFrom('service_traffic')
        .select('body')
        .where('service', '=', service)
        .orderBy('at_ms')
        .orderBy('release_id')
        .execute()
      return rows.map(({ body }) => JSON.parse(body) as Bin)
    }),
})

export const trafficParticipant: Participant<TrafficChange> = {
  kinds: { keepTraffic: true },
  async apply(transaction, changes) {
    for (const { service, minutes, fromMs } of changes) {
      for (const bin of minutes) {
        const body = JSON.stringify(bin)
        await transaction
          .insertInto('service_traffic')
          .values({ service, at_ms: Math.round(bin.atMs), release_id: bin.releaseId, body })
          .onConflict((conflict) =>
            conflict.columns(['service', 'at_ms', 'release_id']).doUpdateSet({ body }),
          )
          .execute()
      }
      await transaction.deleteFrom('service_traffic').where('at_ms', '<', Math.round(fromMs)).execute()
    }
  },
}
