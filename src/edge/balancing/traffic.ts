import { AppError } from '../../base/index.ts'
import { weightOf, type EdgeInput, type EdgeReport, type Weights } from '../../contract/index.ts'
import type { StoredService } from '../state/index.ts'

/** Keys that are remembered, so that a call that is repeated is done once. */
const keptKeys = 200

export const noTraffic = (): StoredService['traffic'] => ({
  weights: {},
  fallbackReleaseId: null,
  revision: 0,
  key: '',
  emergency: null,
  doneKeys: [],
})

/**
 * How the requests of one service are split, and by whose order. Every change is decided and in force when the call
 * returns; nothing in between can be seen.
 */
export class Traffic {
  #record: StoredService['traffic']
  readonly #isHealthy: (releaseId: string) => boolean
  readonly #onChange: (weights: Weights) => void

  constructor(
    record: StoredService['traffic'],
    isHealthy: (releaseId: string) => boolean,
    onChange: (weights: Weights) => void,
  ) {
    this.#record = record
    this.#isHealthy = isHealthy
    this.#onChange = onChange
  }

  get record(): StoredService['traffic'] {
    return this.#record
  }

  report(): EdgeReport {
    const { doneKeys: _, ...report } = this.#record
    return report
  }

  /** Throws CONFLICT, NO_HEALTHY_INSTANCE, BAD_INPUT. */
  set(input: EdgeInput<'setWeights'>): EdgeReport {
    const { revision, emergency, doneKeys, weights: before } = this.#record
    if (doneKeys.includes(input.key)) return this.report()
    if (emergency && !input.endsEmergency)
      throw new AppError(
        'CONFLICT',
        `An emergency rollback of ${input.service} is in effect. Resume automation first.`,
      )
    if (input.expectedRevision !== revision)
      throw new AppError(
        'CONFLICT',
        `The weights of ${input.service} are at revision ${revision}, not ${input.expectedRevision}.`,
        { details: { revision } },
      )
    const sum = Object.values(input.weights).reduce((total, weight) => total + weight, 0)
    if (sum !== 0 && Math.abs(sum - 100) > 1e-6)
      throw new AppError('BAD_INPUT', `The weights of ${input.service} add up to ${sum}, not 100 or 0.`)
    for (const [releaseId, weight] of Object.entries(input.weights))
      if (weight > (before[releaseId] ?? 0)) this.#requireHealthy(input.service, releaseId)
    this.#change(input.key, {
      weights: withoutZeros(input.weights),
      fallbackReleaseId: input.fallbackReleaseId,
      emergency: null,
    })
    return this.report()
  }

  /** All traffic to the fallback, whatever the revision. Throws NO_HEALTHY_INSTANCE. */
  emergency(order: EdgeInput<'emergency'>['orders'][number], atMs: number): EdgeReport {
    if (this.#record.doneKeys.includes(order.key)) return this.report()
    const releaseId = order.toReleaseId ?? this.#record.fallbackReleaseId
    if (releaseId === null)
      throw new AppError('NO_HEALTHY_INSTANCE', `${order.service} has no fallback release.`)
    // What has all traffic already only keeps it: a candidate that has none yet is stopped whatever the health of the other.
    if (weightOf(this.#record.weights, releaseId) !== 100) this.#requireHealthy(order.service, releaseId)
    this.#change(order.key, {
      weights: { [releaseId]: 100 },
      fallbackReleaseId: releaseId,
      emergency: { key: order.key, atMs },
    })
    return this.report()
  }

  #requireHealthy(service: string, releaseId: string): void {
    if (!this.#isHealthy(releaseId))
      throw new AppError('NO_HEALTHY_INSTANCE', `${service} has no healthy instance of ${releaseId}.`, {
        details: { releaseId },
      })
  }

  #change(key: string, changed: Pick<EdgeReport, 'weights' | 'fallbackReleaseId' | 'emergency'>): void {
    const { revision, doneKeys } = this.#record
    this.#record = {
      ...changed,
      revision: revision + 1,
      key,
      doneKeys: [...doneKeys.slice(1 - keptKeys), key],
    }
    this.#onChange(changed.weights)
  }
}

const withoutZeros = (weights: Weights): Weights =>
  Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0))
