import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const writer = fileURLToPath(new URL('./writer.ts', import.meta.url))

/** A process that holds the database at `file` and writes notices from number `from` on. */
export function startWriter(file: string, from = 1, prefix: string[] = []) {
  const [command = process.execPath, ...args] = [...prefix, process.execPath, writer, file, String(from)]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    pid: () => child.pid ?? 0,
    /** The next line; undefined at its end. */
    next: async (): Promise<string | undefined> => {
      const { value, done } = await lines.next()
      return done ? undefined : value
    },
    /** Ends it without a word and waits; gives the lines it had still written. */
    kill: async (): Promise<string[]> => {
      child.kill('SIGKILL')
      const rest: string[] = []
      for (let line = await lines.next(); !line.done; line = await lines.next()) rest.push(line.value)
      await ended
      return rest
    },
  }
}

export type Writer = ReturnType<typeof startWriter>
