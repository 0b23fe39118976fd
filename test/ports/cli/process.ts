import { spawn } from 'node:child_process'

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** A command line as a process of its own, in `directory` as working directory and home. */
export function startNode(
  entry: string,
  args: string[],
  directory: string,
  variables: Record<string, string> = {},
) {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  const waiting = new Set<() => void>()
  const take = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    text[stream] += chunk.toString()
    for (const look of [...waiting]) look()
  }
  child.stdout.on('data', take('stdout'))
  child.stderr.on('data', take('stderr'))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, ...text })
      for (const look of [...waiting]) look()
    })
  })
  return {
    pid: child.pid ?? 0,
    ended,
    text,
    signal: (name: NodeJS.Signals) => child.kill(name),
    /** The match, as soon as the stream has it; throws when the process ends without. */
    until: (stream: 'stdout' | 'stderr', pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text[stream])
          const isOver = child.exitCode !== null || child.signalCode !== null
          if (!match && !isOver) return
          waiting.delete(look)
          if (match) resolve(match)
          else reject(new Error(`ended without ${pattern.source}: ${text.stdout}${text.stderr}`))
        }
        waiting.add(look)
        look()
      }),
  }
}
