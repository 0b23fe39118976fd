import { sleep } from '../../base/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { isRunning } from '../running.ts'
import { edgeClient } from './find.ts'
import { readPointer } from './pointer.ts'

const lookEveryMs = 500

/**
 * Waits while an edge runs on the directory. `stopped` when it was ended in order, which takes its pointer away; `free`
 * when none runs, or the one that ran has crashed and no guard has brought it back. A signal to end is passed on to it.
 */
export async function standBy(directory: string): Promise<'free' | 'stopped'> {
  const clock = systemClock()
  await using client = edgeClient(directory)
  if (!(await client.call('status', {})).ok) return 'free'
  let isEnding = false
  const end = () => {
    isEnding = true
    const pointer = readPointer(directory)
    if (pointer && isRunning(pointer.pid)) process.kill(pointer.pid, 'SIGTERM')
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  try {
    for (;;) {
      await sleep(clock, lookEveryMs)
      const pointer = readPointer(directory)
      if (pointer === null || (isEnding && !isRunning(pointer.pid))) return 'stopped'
      if (!isRunning(pointer.pid) && !(await client.call('status', {})).ok) return 'free'
    }
  } finally {
    process.off('SIGTERM', end)
    process.off('SIGINT', end)
  }
}
