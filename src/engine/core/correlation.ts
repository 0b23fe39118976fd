import { AsyncLocalStorage } from 'node:async_hooks'

const storage = new AsyncLocalStorage<string>()
let count = 0

/**
 * Runs `work` under a correlation id: everything it logs and every failure it tells carries it. Inside another
 * one, and without an id of its own, it keeps the outer.
 */
export function withCorrelation<T>(id: string | undefined, work: () => T): T {
  const chosen = id ?? storage.getStore() ?? nextId()
  return storage.run(chosen, work)
}

/** The id of the work in progress, if any. */
export const correlationId = (): string | undefined => storage.getStore()

/** Unique within one launch of the engine, which the log names beside it. */
function nextId(): string {
  count += 1
  return `c${count.toString(36)}`
}
