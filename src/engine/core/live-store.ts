import type { LiveDiff, LiveRecordKey, LiveRecords } from '../../contract/index.ts'

type Listener = (diff: LiveDiff) => void

/**
 * The state that screens see: records by key, written by the loops, read by the publisher of each consumer.
 * Writes of one turn reach the listeners as one diff. Values are replaced, never changed in place.
 */
export class LiveStore {
  #records = new Map<LiveRecordKey, LiveRecords[LiveRecordKey]>()
  #pending: LiveDiff = emptyDiff()
  #isFlushScheduled = false
  #listeners = new Set<Listener>()

  put<K extends LiveRecordKey>(key: K, value: LiveRecords[K]): void {
    if (Object.is(this.#records.get(key), value)) return
    this.#records.set(key, value)
    this.#pending = squash(this.#pending, { put: { [key]: value } as Partial<LiveRecords>, removed: [] })
    this.#schedule()
  }

  get<K extends LiveRecordKey>(key: K): LiveRecords[K] | undefined {
    return this.#records.get(key) as LiveRecords[K] | undefined
  }

  remove(key: LiveRecordKey): void {
    if (!this.#records.delete(key)) return
    this.#pending = squash(this.#pending, { put: {}, removed: [key] })
    this.#schedule()
  }

  /** Everything as it stands now. */
  snapshot(): Partial<LiveRecords> {
    return Object.fromEntries(this.#records) as Partial<LiveRecords>
  }

  /** `listener` gets each later diff; dispose to stop. */
  subscribe(listener: Listener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  #schedule(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    queueMicrotask(() => {
      this.#isFlushScheduled = false
      const diff = this.#pending
      this.#pending = emptyDiff()
      for (const listener of [...this.#listeners]) listener(diff)
    })
  }
}

export const emptyDiff = (): LiveDiff => ({ put: {}, removed: [] })

/** One diff that does what `first` then `second` do. */
export function squash(first: LiveDiff, second: LiveDiff): LiveDiff {
  const put = { ...first.put }
  for (const key of second.removed) delete put[key]
  Object.assign(put, second.put)
  const removed = [...new Set([...first.removed, ...second.removed])].filter((key) => !(key in put))
  return { put, removed }
}
