import { sleep } from '../../base/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { edgeClient, isEdgeRunning } from './find.ts'
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
    void passOn(directory)
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  try {
    for (;;) {
      await sleep(clock, lookEveryMs)
      // A system that cannot be asked, as without a free descriptor, is asked again.
      if (await isEdgeRunning(directory).catch(() => true)) continue
      if (isEnding) return 'stopped'
      const hasPointer = readPointer(directory) !== null
      // A pointer that cannot be read says nothing of an edge that answers.
      if (!(await client.call('status', {})).ok) return hasPointer ? 'free' : 'stopped'
    }
  } finally {
    process.off('SIGTERM', end)
    process.off('SIGINT', end)
  }
}

/** Asks the edge to end, and nobody who has its number now. */
async function passOn(directory: string): Promise<void> {
  try {
    const pointer = readPointer(directory)
    if (pointer && (await isEdgeRunning(directory))) process.kill(pointer.pid, 'SIGTERM')
  } catch {
    // It has just gone.
  }
}
