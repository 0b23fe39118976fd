import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { openOutput } from '../../edge/index.ts'

/** Makes an edge keep a guard: set by whoever starts an edge that shall come back when it crashes. */
export const guardVariable = 'PILOTHOUSE_EDGE_GUARD'

/** What a guard tells the edge that it starts. */
const revivedVariable = 'PILOTHOUSE_EDGE_REVIVED'

/** A listening socket that outlived the edge before this one. */
const keptPortSchema = z.object({ service: z.string(), descriptor: z.number().int().min(3) })
export type KeptPort = z.infer<typeof keptPortSchema>

const revivalSchema = z.object({
  /** Edges that crashed in a row before this one, each soon after its start. */
  crashes: z.number().int().min(0),
  ports: z.array(keptPortSchema),
})
export type Revival = z.infer<typeof revivalSchema>

/**
 * Waits on descriptor 3 until it closes, which the kernel does when the edge dies, however it dies. Then the shell
 * becomes the next edge. A shell, as it costs less than 1 MB while it waits.
 */
const script = 'read -r _ <&3; exec 3<&-; [ "$1" = 0 ] || sleep "$1"; shift; exec "$@"'

const guardName = 'pilothouse-edge-guard'

/** Whether a process with these arguments waits to start the edge of `directory` again. */
export const isGuardOf = (directory: string, args: readonly string[]): boolean =>
  args.includes(guardName) && args[args.lastIndexOf('--directory') + 1] === resolve(directory)

/** The descriptor at which the first kept port is found; 3 is the guard's own. */
const firstPortAt = 4

/** An edge that served this long is not in a crash loop: the next one starts at once. */
export const provenMs = 5000

const maxDelaySeconds = 30

/** How long a guard waits before it starts the next edge: not at all at first, longer when edges crash in a row. */
export const revivalDelaySeconds = (crashes: number): number =>
  crashes === 0 ? 0 : Math.min(maxDelaySeconds, 2 ** (crashes - 1))

/** What the guard that started this process tells; null when none did. Taken away, so that no child finds it. */
export function takeRevival(environment: Record<string, string | undefined>): Revival | null {
  const revival = revivalOf(environment)
  delete environment[revivedVariable]
  return revival
}

/** The descriptors at which the guard that started this process has left ports. */
export function keptDescriptors(environment: Readonly<Record<string, string | undefined>>): Set<number> {
  const ports = revivalOf(environment)?.ports ?? []
  return new Set(ports.map(({ descriptor }) => descriptor))
}

function revivalOf(environment: Readonly<Record<string, string | undefined>>): Revival | null {
  const text = environment[revivedVariable]
  if (text === undefined) return null
  const revival = revivalSchema.safeParse(JSON.parse(text))
  return revival.success ? revival.data : null
}

/** Whether this system can have guards: it needs a shell and descriptors that a process passes on. */
export const canGuard = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  process.platform !== 'win32' && environment[guardVariable] !== undefined

/**
 * A process beside the edge that starts the edge again, with the same arguments, when it dies without saying so. It
 * holds the ports of services meanwhile, so that new connections wait for the next edge instead of being refused.
 * Dispose before the edge ends in order.
 */
export class Guard implements Disposable {
  readonly #directory: string
  #child: ChildProcess | null = null
  #crashes: number
  #held = ''
  #ports: readonly KeptPort[] = []
  #isDisposed = false

  /** `crashes` are those in a row before this edge; `ports` are held from the first moment. */
  constructor(directory: string, crashes: number, ports: readonly KeptPort[] = []) {
    this.#directory = directory
    this.#crashes = crashes
    this.hold(ports)
  }

  /** Of the process that waits; null while there is none. The next edge has the same. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** The listening sockets to hold from now on. */
  hold(ports: readonly KeptPort[]): void {
    const held = JSON.stringify(ports)
    if (this.#isDisposed || (this.#child && held === this.#held)) return
    this.#held = held
    this.#ports = ports
    this.#replace()
  }

  /** This edge has served long enough: the next one starts at once if it crashes. */
  prove(): void {
    if (this.#isDisposed || this.#crashes === 0) return
    this.#crashes = 0
    this.#replace()
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#child?.kill('SIGKILL')
  }

  /** The new one is there before the old one goes. */
  #replace(): void {
    const before = this.#child
    const child = this.#start()
    this.#child = child
    child.once('spawn', () => before?.kill('SIGKILL'))
    child.once('error', () => {
      // Without a free descriptor or process there is none yet, and the one before goes on with the ports it has.
      this.#held = ''
      if (this.#isDisposed) before?.kill('SIGKILL')
      else if (this.#child === child) this.#child = before && hasEnded(before) ? null : before
    })
    child.once('exit', () => {
      // It was killed. At the next look it is there again.
      if (this.#child === child) this.#child = null
    })
  }

  #start(): ChildProcess {
    const output = openOutput(join(this.#directory, 'edge.out'))
    const delay = revivalDelaySeconds(this.#crashes)
    const revival: Revival = {
      crashes: this.#crashes + 1,
      ports: this.#ports.map(({ service }, i) => ({ service, descriptor: firstPortAt + i })),
    }
    const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
    try {
      const child = spawn('/bin/sh', ['-c', script, guardName, String(delay), ...command], {
        cwd: this.#directory,
        detached: true,
        env: { ...process.env, [revivedVariable]: JSON.stringify(revival) },
        stdio: ['ignore', output, output, 'pipe', ...this.#ports.map(({ descriptor }) => descriptor)],
      })
      child.unref()
      // Without a free descriptor there are no streams at all.
      const streams = child.stdio as ChildProcess['stdio'] | undefined
      const pipe = streams?.[3] as {
        unref?: () => void
        on: (name: string, run: () => void) => unknown
      } | null
      pipe?.unref?.()
      pipe?.on('error', () => undefined)
      return child
    } finally {
      if (output !== 'ignore') closeSync(output)
    }
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null
