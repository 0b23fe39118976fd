import { AppError, assertNever, fail, type Result } from '../../../base/index.ts'
import type { RouterReport, SetWeightsRequest } from '../../platforms/index.ts'
import { isGoingBack } from '../state.ts'
import { effectsToward, type Effect, type Wishes } from '../wishes.ts'
import type { Ledger } from './ledger.ts'
import type { Lookout } from './lookout.ts'
import type { SteeredService } from './parts.ts'

/** Makes a service as it shall be, by as few calls as are left to be made. */
export class Hands {
  readonly #service: SteeredService
  readonly #lookout: Lookout
  readonly #ledger: Ledger

  constructor(service: SteeredService, lookout: Lookout, ledger: Ledger) {
    this.#service = service
    this.#lookout = lookout
    this.#ledger = ledger
  }

  /** Does what is left to be done until `isHalted`; gives whether anything has changed by it. */
  async act(wishes: Wishes, isHalted: () => boolean): Promise<boolean> {
    const effects = effectsToward(wishes, this.#lookout.router, this.#lookout.target)
    let isChanged = false
    for (const effect of effects) {
      if (isHalted()) return true
      isChanged = (await this.#do(effect)) || isChanged
    }
    if (isChanged && effects.some(({ kind }) => kind !== 'setWeights')) await this.#lookout.observe()
    return isChanged
  }

  async #do(effect: Effect): Promise<boolean> {
    const { router, target, definition } = this.#service
    const service = definition.name
    switch (effect.kind) {
      case 'setWeights': {
        const { kind: _, ...request } = effect
        const set = await this.#lookout.ask('router', () =>
          this.#isReturningInEmergency()
            ? this.#repeatEmergency(request)
            : router.set({ service, endsEmergency: false, ...request }),
        )
        if (set.ok) this.#lookout.router = set.value
        return set.ok
      }
      case 'ensure': {
        const release = await this.#ledger.release(effect.releaseId)
        if (!release.ok) {
          this.#lookout.note('target', `${effect.releaseId} cannot be started: ${release.error.message}`)
          return false
        }
        const { instances, key } = effect
        const request = { service, release: release.value, instances, key }
        return (await this.#lookout.ask('target', () => target.ensure(request))).ok
      }
      case 'remove': {
        const { kind: _, ...request } = effect
        return (await this.#lookout.ask('target', () => target.remove({ service, ...request }))).ok
      }
      default:
        return assertNever(effect)
    }
  }

  /** Nothing but an emergency moves traffic while one stands; one that was not enough is made again. */
  #isReturningInEmergency(): boolean {
    const { active } = this.#ledger
    return active !== null && isGoingBack(active) && Boolean(this.#lookout.router?.emergency)
  }

  async #repeatEmergency({
    key,
    fallbackReleaseId,
  }: Pick<SetWeightsRequest, 'key' | 'fallbackReleaseId'>): Promise<Result<RouterReport>> {
    const { router, definition } = this.#service
    const to = fallbackReleaseId === null ? {} : { toReleaseId: fallbackReleaseId }
    const [answer] = await router.emergency([{ service: definition.name, key, ...to }])
    return answer ?? fail(new AppError('UNAVAILABLE', `The router did not answer for ${definition.name}`))
  }
}
