/** How many requests an instance takes. */
export interface SlotLimits {
  maxInstanceConnections: number
  maxInstanceQueue: number
}

/** The requests that one instance works on, and those that wait for it in the order in which they came. */
export class Slots {
  #used = 0
  readonly #waiting = new Set<() => void>()

  /** Whether another request can be taken or can wait. */
  hasRoom({ maxInstanceConnections, maxInstanceQueue }: SlotLimits): boolean {
    return this.#used < maxInstanceConnections || this.#waiting.size < maxInstanceQueue
  }

  /** True when the request may go on; otherwise `go` is called when it may, unless it leaves first. */
  enter({ maxInstanceConnections }: SlotLimits, go: () => void): boolean {
    if (this.#used >= maxInstanceConnections) {
      this.#waiting.add(go)
      return false
    }
    this.#used += 1
    return true
  }

  /** The request named by its `go` has ended, or waits no longer. */
  leave(go: () => void): void {
    if (this.#waiting.delete(go)) return
    const [next] = this.#waiting
    if (!next) {
      this.#used -= 1
      return
    }
    // The slot is handed on. In a turn of its own: a long queue must not become a deep stack.
    this.#waiting.delete(next)
    queueMicrotask(next)
  }
}
