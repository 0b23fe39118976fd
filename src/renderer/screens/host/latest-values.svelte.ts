import type { SampleHub } from '../../state/sample-hub.ts'

const windowMs = 30_000

/** The newest figures of some series, for tables. Streams only between `start` and the call of its result. */
export class LatestValues {
  #hub: Pick<SampleHub, 'want' | 'latest'>
  #hostId: string
  #version = $state(0)

  constructor(hub: Pick<SampleHub, 'want' | 'latest'>, hostId: string) {
    this.#hub = hub
    this.#hostId = hostId
  }

  start(seriesIds: readonly number[]): () => void {
    return this.#hub.want({
      hostId: this.#hostId,
      seriesIds,
      windowMs,
      changed: () => (this.#version += 1),
    })
  }

  /** NaN where nothing was measured lately. */
  of(seriesId: number | undefined): number {
    void this.#version
    return seriesId === undefined
      ? Number.NaN
      : (this.#hub.latest(this.#hostId, seriesId)?.value ?? Number.NaN)
  }
}
