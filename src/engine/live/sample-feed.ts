/** One row of one host, as the publishers get it: `values[i]` belongs to `seriesIds[i]`. */
export interface FeedRow {
  hostId: string
  atMs: number
  seriesIds: readonly number[]
  values: Float64Array
}

/** Hands each new row to the publishers of connected consumers. */
export class SampleFeed {
  #listeners = new Set<(row: FeedRow) => void>()

  publish(row: FeedRow): void {
    for (const listener of [...this.#listeners]) listener(row)
  }

  subscribe(listener: (row: FeedRow) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
}
