import { createInterface } from 'node:readline/promises'
import { Interrupted, LeftAlone } from './failure.ts'

/** Whoever sits at the terminal, if anyone does. */
export interface Person {
  isThere: boolean
  /** One line of an answer, trimmed. Rejects with Interrupted after Ctrl-C, and with LeftAlone when the input ends. */
  ask(question: string): Promise<string>
}

/** The person at these streams. Questions go to `output`, so that standard output stays what a script reads. */
export function personAt(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Person {
  return {
    isThere: input.isTTY && output.isTTY,
    ask: async (question) => {
      const lines = createInterface({ input, output })
      try {
        // Without a listener, readline takes Ctrl-C for an empty answer.
        const stopped = new Promise<never>((_, reject) => {
          lines.once('SIGINT', () => reject(new Interrupted()))
          lines.once('close', () =>
            reject(new LeftAlone('The input ended before an answer. Nothing was done.')),
          )
        })
        return (await Promise.race([lines.question(question), stopped])).trim()
      } finally {
        lines.close()
      }
    },
  }
}
