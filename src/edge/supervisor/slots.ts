/** How many requests an instance takes at a time and may queue. */
export interface SlotLimits {
  maxInstanceConnections: number
  maxInstanceQueue: number
}

/** The requests that one instance works on, and those that wait, in order of arrival. */
export class RequestSlots {
  #used = 0
  readonly #waiting = new Set<() => void>()

  /** Whether it can take or queue another request. */
  hasRoom({ maxInstanceConnections, maxInstanceQueue }: SlotLimits): boolean {
    return this.#used < maxInstanceConnections || this.#waiting.size < maxInstanceQueue
  }

  /** True when the request may proceed; otherwise `go` is called when it may, unless it leaves first. */
  enter({ maxInstanceConnections }: SlotLimits, go: () => void): boolean {
    if (this.#used >= maxInstanceConnections) {
      this.#waiting.add(go)
      return false
    }
    this.#used += 1
    return true
  }

  /** Frees the slot, or the place in the queue, of the request that is identified by its `go`. */
  leave(go: () => void): void {
    if (this.#waiting.delete(go)) return
    const [next] = this.#waiting
    if (!next) {
      this.#used -= 1
      return
    }
    // Passes the slot on, in a new task so that a long queue does not become a deep stack.
    this.#waiting.delete(next)
    queueMicrotask(next)
  }
}
