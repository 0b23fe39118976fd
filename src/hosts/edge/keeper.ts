import { sleep, type Clock, type Loop } from '../../engine/core/index.ts'
import { ensureEdge, type EdgeProgram } from './launch.ts'

const lookEveryMs = 5000

/** Starts the edge of a directory where none answers. One that runs is left alone, now and when we end. */
export function edgeKeeper(directory: string, clock: Clock, program?: EdgeProgram): Loop {
  return {
    name: 'embedded platform',
    async run(signal, heart) {
      while (!signal.aborted) {
        heart.beat()
        const edge = await ensureEdge({ directory, clock, program })
        if (!edge.ok) throw edge.error
        await edge.value[Symbol.asyncDispose]()
        await sleep(clock, lookEveryMs, signal).catch(() => undefined)
      }
    },
  }
}
