import { passed, type CheckConfigOf } from '../../engine/validation/index.ts'
import { placeText, unreachable, withSocket } from './network.ts'
import type { Run } from './surroundings.ts'

/** Someone accepts connections. */
export function tcpCheck(config: CheckConfigOf<'tcp'>): Run {
  const where = placeText(config)
  return async (_request, signal) => {
    try {
      return await withSocket(config, signal, async () => passed(`${where} accepts connections.`))
    } catch (thrown) {
      return unreachable(where, thrown)
    }
  }
}
