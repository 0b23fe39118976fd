import type { Platform } from '../../../engine/platforms/index.ts'
import type { EdgeClient } from './edge-client.ts'
import { edgeRouter } from './edge-router.ts'
import { edgeTarget } from './edge-target.ts'

export const edgeCapabilities: Platform['capabilities'] = {
  target: { scales: true, isolatesInstances: false },
  router: {
    verifiesWeights: true,
    keepsConnections: true,
    routesByHeader: true,
    webSockets: true,
    countsRequests: true,
  },
}

/** The embedded platform, as the edge behind `client` offers it. That edge may be away for a while. */
export const edgePlatform = (client: EdgeClient): Platform => ({
  name: 'edge',
  target: edgeTarget(client),
  router: edgeRouter(client),
  capabilities: edgeCapabilities,
})
