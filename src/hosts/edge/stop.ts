import { access } from 'node:fs/promises'
import type { EdgeClient } from '../../adapters/targets/edge/index.ts'
import { AppError, fail, ok, sleep, type Clock, type Result } from '../../engine/core/index.ts'
import { isRunning } from '../running.ts'
import { edgeLockPath } from './places.ts'

export interface EdgeStop {
  directory: string
  clock: Clock
  /** Drain and stop what it runs, too; its instances run on without it otherwise. */
  withInstances: boolean
  /** Longest wait for the end of its process: it drains as long as the services may take. */
  withinMs: number
}

const lookEveryMs = 50

/** Ends the edge of a directory, which is free when it succeeds. Fails with TIMEOUT when it runs on. */
export async function stopEdge(
  client: EdgeClient,
  { directory, clock, withInstances, withinMs }: EdgeStop,
): Promise<Result<void>> {
  const status = await client.call('status', {})
  if (!status.ok) return status
  const { pid } = status.value
  const stopped = await client.call('stop', { instances: withInstances })
  if (!stopped.ok) return stopped
  const deadline = clock.monotonicMs() + withinMs
  // Giving up the lock is the last that it does. One that is killed meanwhile leaves the lock, but runs no more.
  while (isRunning(pid) && (await holdsLock())) {
    if (clock.monotonicMs() > deadline)
      return fail(new AppError('TIMEOUT', `The edge, process ${pid}, does not end.`))
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
