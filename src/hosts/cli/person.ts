import { createInterface } from 'node:readline/promises'

/** Whoever sits at the terminal, if anybody does. */
export interface Person {
  isThere: boolean
  /** One line of an answer, trimmed; empty when the input ended. */
  ask(question: string): Promise<string>
}

/** The person at these streams. Questions go to `output`, so that standard output stays what a script reads. */
export function personAt(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Person {
  return {
    isThere: input.isTTY && output.isTTY,
    ask: async (question) => {
      const lines = createInterface({ input, output })
      try {
        const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
        return (await Promise.race([lines.question(question), ended])).trim()
      } finally {
        lines.close()
      }
    },
  }
}
