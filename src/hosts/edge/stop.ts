import type { Actor } from '../../contract/index.ts'
import { access } from 'node:fs/promises'
import { AppError, fail, ok, sleep, type Clock, type Result } from '../../base/index.ts'
import type { EdgeClient } from '../../adapters/platforms/edge/index.ts'
import { endInstancesOf, identityOf } from '../../edge/index.ts'
import { endGuards } from './crash-loop.ts'
import { isEdgeRunning } from './find.ts'
import { edgeLockPath } from './places.ts'

export interface EdgeStop {
  directory: string
  clock: Clock
  /** Who orders it, for the audit log. */
  by?: Actor
  /** Drain and stop what it runs, too; its instances run on without it otherwise. */
  withInstances: boolean
  /** Longest wait for the end of its process: it drains as long as the services may take. */
  withinMs: number
}

const lookEveryMs = 50
/** A guard that has just become an edge is no guard: its own is found at a later look. */
const [loopLooks, loopLookMs] = [5, 500]

/**
 * Ends the edge of a directory, which is free when it succeeds; also one that crashes again and again, and the
 * instances of one that has gone. Fails with TIMEOUT when it runs on.
 */
export async function stopEdge(
  client: EdgeClient,
  { directory, clock, by, withInstances, withinMs }: EdgeStop,
): Promise<Result<void>> {
  let status = await client.call('status', {})
  // One that crashes again and again answers now and then at most: what would start it again goes first.
  let endedCount = 0
  for (let looks = 0; !status.ok && looks < loopLooks; looks++) {
    endedCount += await endGuards(directory)
    if (endedCount === 0 && !(await isEdgeRunning(directory))) break
    await sleep(clock, loopLookMs)
    status = await client.call('status', {})
  }
  if (!status.ok) {
    if (await isEdgeRunning(directory)) return status
    if (withInstances) endedCount += await endInstancesOf(directory, clock)
    return endedCount > 0 ? ok(undefined) : status
  }
  const { pid } = status.value
  const identity = await identityOf(pid)
  const order = { instances: withInstances }
  const named = await client.call('stop', { ...order, ...(by === undefined ? {} : { by }) })
  // One of an earlier version does not know who orders it.
  const isOld = !named.ok && named.error.code === 'BAD_INPUT'
  const stopped = isOld ? await client.call('stop', order) : named
  if (!stopped.ok) return stopped
  const deadline = clock.monotonicMs() + withinMs
  // Giving up the lock is the last that it does. One that is killed meanwhile leaves the lock, but runs no more.
  while (identity !== null && (await identityOf(pid)) === identity && (await holdsLock())) {
    if (clock.monotonicMs() > deadline)
      return fail(new AppError('TIMEOUT', `The edge, process ${pid}, did not stop.`))
    await sleep(clock, lookEveryMs)
  }
  return ok(undefined)

  async function holdsLock(): Promise<boolean> {
    return access(edgeLockPath(directory)).then(
      () => true,
      () => false,
    )
  }
}
