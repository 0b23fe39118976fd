import { Pool } from 'undici'
import { sleep, type Clock } from '../../base/index.ts'
import { latencyBoundsMs } from '../../contract/index.ts'
import { noCounts, type Counts } from '../../engine/canary/index.ts'

export interface Load {
  url: string
  /** Requests at the same time, each on a connection of its own. */
  concurrency: number
  durationMs: number
}

const requestTimeoutMs = 10_000
/** After a request that nobody answered: a refused connection fails at once, and would be asked for without end. */
const pauseMs = 50

/**
 * Sends GETs one after another on each connection until the time is over or the signal aborted, and counts how they
 * ended. Every answer from 400 on is an error here: a load of answers "not found" would prove nothing.
 */
export async function generateLoad(
  { url, concurrency, durationMs }: Load,
  clock: Clock,
  signal: AbortSignal,
): Promise<Counts> {
  const { origin, pathname, search } = new URL(url)
  const counts = noCounts()
  counts.latencyCounts = latencyBoundsMs.map(() => 0)
  const pool = new Pool(origin, {
    connections: concurrency,
    headersTimeout: requestTimeoutMs,
    bodyTimeout: requestTimeoutMs,
    connect: { timeout: requestTimeoutMs },
  })
  // What is in flight at the end of the time is cut off and not counted: neither good nor bad.
  const over = new AbortController()
  const stop = AbortSignal.any([signal, over.signal])
  using _timer = clock.after(durationMs, () => over.abort())
  const worker = async () => {
    while (!stop.aborted) {
      const startedAtMs = clock.monotonicMs()
      try {
        const { statusCode, body } = await pool.request({
          method: 'GET',
          path: pathname + search,
          signal: stop,
        })
        await body.dump({ limit: 64 * 1024 * 1024, signal: stop })
        if (stop.aborted) return
        count(counts, statusCode >= 400, clock.monotonicMs() - startedAtMs)
      } catch {
        if (stop.aborted) return
        count(counts, true, clock.monotonicMs() - startedAtMs)
        await sleep(clock, pauseMs, stop).catch(() => undefined)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  await pool.destroy()
  return counts
}

function count(counts: Counts, isError: boolean, tookMs: number): void {
  counts.requests += 1
  if (isError) counts.errors += 1
  const found = latencyBoundsMs.findIndex((bound) => tookMs <= bound)
  const bin = found < 0 ? latencyBoundsMs.length - 1 : found
  counts.latencyCounts[bin] = (counts.latencyCounts[bin] ?? 0) + 1
}
