import type { Clock } from '../../base/index.ts'

/** The requests in progress at an instance, and the wait for their end. */
export class RequestLoad {
  readonly #tunnels = new Set<{ destroy(): unknown }>()
  #here = 0
  #elsewhere = 0
  readonly #waiting = new Set<() => void>()

  /** Requests through this edge. */
  get here(): number {
    return this.#here
  }

  get total(): number {
    return this.#here + this.#elsewhere
  }

  get isElsewhere(): boolean {
    return this.#elsewhere > 0
  }

  /** Requests through an earlier edge, during which the instance must not be stopped. */
  set elsewhere(count: number) {
    this.#elsewhere = count
    this.#tell()
  }

  begin(): void {
    this.#here += 1
  }

  end(): void {
    this.#here -= 1
    this.#tell()
  }

  /** Registers a connection that outlives its request. */
  hold(tunnel: { destroy(): unknown }): Disposable {
    this.#tunnels.add(tunnel)
    this.begin()
    return {
      [Symbol.dispose]: () => {
        if (this.#tunnels.delete(tunnel)) this.end()
      },
    }
  }

  cutTunnels(): void {
    for (const tunnel of [...this.#tunnels]) tunnel.destroy()
  }

  /** Resolves when no request is in progress, or after `timeoutMs`. */
  async idle(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.total === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    using _timer = clock.after(timeoutMs, resolve)
    await promise
    this.#waiting.delete(resolve)
  }

  #tell(): void {
    if (this.total === 0) for (const resolve of this.#waiting) resolve()
  }
}
