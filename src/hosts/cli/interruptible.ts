import { Interrupted } from './failure.ts'

/**
 * Runs `work` until it ends or a person presses Ctrl-C: then its signal aborts, with Interrupted as the reason that
 * `work` is expected to reject with. A second Ctrl-C ends the process as if nobody listened.
 */
export async function interruptible<T>(
  sentence: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const stop = () => over.abort(new Interrupted(sentence))
  process.once('SIGINT', stop)
  try {
    return await work(over.signal)
  } finally {
    process.off('SIGINT', stop)
  }
}
