import type { Rng } from '../../base/index.ts'
import type { Routing } from '../../contract/index.ts'
import type { Balancer } from './candidate.ts'
import { ipHash } from './ip-hash.ts'
import { leastConnections, powerOfTwo } from './load.ts'
import { roundRobin } from './round-robin.ts'
import { smoothWeighted } from './smooth-weighted.ts'

export type { Balancer } from './candidate.ts'
export { pointIn, pointOf, releaseAt, ReleaseSplit } from './release-split.ts'
export { noTraffic, Traffic } from './traffic.ts'

/** The balancer of this name. */
export function balancerOf(name: Routing['balancing'], rng: Rng): Balancer {
  switch (name) {
    case 'round_robin':
      return roundRobin()
    case 'weighted_round_robin':
      return smoothWeighted()
    case 'least_connections':
      return leastConnections()
    case 'ip_hash':
      return ipHash()
    case 'power_of_two':
      return powerOfTwo(rng)
  }
}
