import { failed, judgeLoad, type CheckConfigOf, type CheckVerdict } from '../../engine/validation/index.ts'
import { generateLoad } from './load-generator.ts'
import { withCopy } from './release-copy.ts'
import { filledIn, type Run, type CheckSurroundings } from './surroundings.ts'

/**
 * A short load on the candidate, held against limits and the stored baseline of the stable release: at the address
 * that is configured for it, or on a copy of the release that is started for the load.
 */
export function loadCheck(config: CheckConfigOf<'load'>, surroundings: CheckSurroundings): Run {
  const { clock, facts } = surroundings
  return async (request, signal) => {
    const baseline = await facts.baseline(request.service)
    if (!baseline.ok)
      return {
        ...failed(`The baseline cannot be read: ${baseline.error.message}`),
        isTransient: baseline.error.retryable,
      }
    const loaded = async (url: string, stop: AbortSignal): Promise<CheckVerdict> =>
      judgeLoad(await generateLoad({ ...config, url }, clock, stop), baseline.value, config)
    if (config.url !== undefined) return loaded(filledIn(config.url, request), signal)
    return withCopy(request, config.path, surroundings, signal, (address, stop) =>
      loaded(address + config.path, stop),
    )
  }
}
