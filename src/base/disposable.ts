/**
 * What a part of the engine holds (timers, listeners, sockets, children), released in reverse order.
 * A failing release does not keep the others from running; the failures are thrown together at the end.
 */
export class Disposables implements AsyncDisposable {
  #held: (() => void | Promise<void>)[] = []
  #isDisposed = false

  get isDisposed(): boolean {
    return this.#isDisposed
  }

  /** Keeps `resource` until disposal and gives it back. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.defer(() =>
      Symbol.asyncDispose in resource
        ? Promise.resolve(resource[Symbol.asyncDispose]())
        : resource[Symbol.dispose](),
    )
    return resource
  }

  /** Runs `release` at disposal. Added after disposal, it runs at once. */
  defer(release: () => void | Promise<void>): void {
    if (this.#isDisposed) {
      void Promise.resolve(release())
      return
    }
    this.#held.push(release)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    const failures: unknown[] = []
    for (const release of this.#held.splice(0).reverse()) {
      try {
        await release()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some resources were not released')
  }
}
