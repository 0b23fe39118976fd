import { AppError, assertNever, fail, type Result } from '../../../base/index.ts'
import type { RouterReport, SetWeightsRequest } from '../../platforms/index.ts'
import { isGoingBack } from '../state.ts'
import { effectsToward, type Effect, type DesiredState } from '../desired-state.ts'
import type { DeploymentJournal } from './deployment-journal.ts'
import type { Permit } from './halt.ts'
import type { Observer } from './observer.ts'
import type { SteeredService } from './parts.ts'

/** Moves a service to its desired state with as few calls as possible. */
export class Actuator {
  readonly #service: SteeredService
  readonly #observer: Observer
  readonly #journal: DeploymentJournal

  constructor(service: SteeredService, observer: Observer, journal: DeploymentJournal) {
    this.#service = service
    this.#observer = observer
    this.#journal = journal
  }

  /** Makes the changes that are left, as long as `permit` holds. Returns whether it changed anything. */
  async act(desired: DesiredState, permit: Permit): Promise<boolean> {
    const effects = effectsToward(desired, this.#observer.router, this.#observer.target)
    let isChanged = false
    for (const effect of effects) isChanged = (await this.#do(effect, permit)) || isChanged
    if (isChanged && effects.some(({ kind }) => kind !== 'setWeights')) await this.#observer.observe()
    return isChanged
  }

  async #do(effect: Effect, permit: Permit): Promise<boolean> {
    const { router, target, definition } = this.#service
    const service = definition.name
    switch (effect.kind) {
      case 'setWeights': {
        const { kind: _, ...request } = effect
        const set = await permit.call(() =>
          this.#observer.ask('router', () =>
            this.#isReturningInEmergency()
              ? this.#repeatEmergency(request)
              : router.set({ service, endsEmergency: false, ...request }),
          ),
        )
        if (!set?.ok) return false
        // The answer to an emergency meanwhile is newer.
        if (!permit.isRevoked) this.#observer.router = set.value
        return true
      }
      case 'ensure': {
        const release = await this.#journal.release(effect.releaseId)
        if (!release.ok) {
          this.#observer.note('target', `${effect.releaseId} cannot be started: ${release.error.message}`)
          return false
        }
        const { instances, key } = effect
        const request = { service, release: release.value, instances, key }
        return isDone(await permit.call(() => this.#observer.ask('target', () => target.ensure(request))))
      }
      case 'remove': {
        const { kind: _, ...rest } = effect
        const request = { service, ...rest }
        return isDone(await permit.call(() => this.#observer.ask('target', () => target.remove(request))))
      }
      default:
        return assertNever(effect)
    }
  }

  /** While an emergency stands, only another emergency moves traffic. One that was not enough is repeated. */
  #isReturningInEmergency(): boolean {
    const { active } = this.#journal
    return active !== null && isGoingBack(active) && Boolean(this.#observer.router?.emergency)
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

const isDone = (answer: Result<unknown> | null): boolean => answer?.ok === true
