import { edgeCapabilities } from '../../../src/adapters/platforms/edge/index.ts'
import type { Offers, PlatformUnderTest } from '../platform.ts'
import { EdgeProcess } from './edge-process.ts'

export const edgeOffers: Offers = {
  servesClients: true,
  runsProcesses: true,
  ...edgeCapabilities.target,
  ...edgeCapabilities.router,
}

/** The embedded platform, to be tested as a target and as a router. */
export async function openEdge(): Promise<PlatformUnderTest> {
  const edge = await EdgeProcess.start()
  return {
    target: edge.target,
    router: edge.router,
    killAndRestart: async () => {
      await edge.end('SIGKILL')
      await edge.start()
    },
    [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose](),
  }
}
