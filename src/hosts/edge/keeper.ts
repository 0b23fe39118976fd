import { sleep, type Clock, type Loop } from '../../engine/core/index.ts'
import { ensureEdge, type EdgeProgram } from './launch.ts'

const lookEveryMs = 5000
const needEveryMs = 200

export interface EdgeKeeping {
  directory: string
  clock: Clock
  /** Whether there is anything for it to run. */
  isNeeded: () => boolean
  /** What runs the edge, where this process's Node cannot. */
  program?: EdgeProgram | undefined
}

/**
 * Starts the edge of a directory where none answers, as soon as it is needed. One that runs is left alone, now and
 * when we end.
 */
export function edgeKeeper({ directory, clock, isNeeded, program }: EdgeKeeping): Loop {
  return {
    name: 'embedded platform',
    async run(signal, heart) {
      while (!signal.aborted) {
        heart.beat()
        if (!isNeeded()) {
          await sleep(clock, needEveryMs, signal).catch(() => undefined)
          continue
        }
        const edge = await ensureEdge({ directory, clock, program })
        if (!edge.ok) throw edge.error
        await edge.value[Symbol.asyncDispose]()
        await sleep(clock, lookEveryMs, signal).catch(() => undefined)
      }
    },
  }
}
