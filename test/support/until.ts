import { setTimeout as wait } from 'node:timers/promises'

/**
 * What `look` gives as soon as it is not undefined; looked for again and again, because what is tested happens in
 * another process. Fails with what was waited for when that takes `withinMs`.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 100_000,
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`)
    await wait(20)
  }
}
