import { AppError, fail, ok } from '../../../base/index.ts'
import { latencyBoundsMs, type Bin, type EdgeBin } from '../../../contract/index.ts'
import type { Router } from '../../../engine/platforms/index.ts'
import type { EdgeClient } from './edge-client.ts'
import { edgeDefinition } from './edge-definition.ts'

/** The embedded platform as a router. */
export function edgeRouter(client: EdgeClient): Router {
  return {
    declare: (definition) => client.call('declare', { definition: edgeDefinition(definition) }),
    read: (service) => client.call('weights', { service }),
    async withdraw(service) {
      const withdrawn = await client.call('withdraw', { service })
      return withdrawn.ok ? ok(undefined) : withdrawn
    },
    set: (request) => client.call('setWeights', request),
    async emergency(orders) {
      const answer = await client.call('emergency', {
        orders: orders.map(({ service, key, toReleaseId }) => ({
          service,
          key,
          ...(toReleaseId === undefined ? {} : { toReleaseId }),
        })),
      })
      return answer.ok
        ? answer.value.map((one) =>
            one.ok ? ok({ ...one.value, isKept: one.isKept }) : fail(new AppError(one.code, one.message)),
          )
        : orders.map(() => answer)
    },
    async bins(service, cursor) {
      const page = await client.call('bins', { service, cursor })
      return page.ok ? ok({ bins: page.value.bins.map(binOf), cursor: page.value.cursor }) : page
    },
  }
}

/** With its whole histogram: one count a bound, and one for what is above all. */
function binOf({ latencies, ...bin }: EdgeBin): Bin {
  const latencyCounts = new Array<number>(latencyBoundsMs.length + 1).fill(0)
  for (const [index, count] of latencies) latencyCounts[index] = count
  return { ...bin, latencyCounts }
}
