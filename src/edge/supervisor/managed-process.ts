import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { EdgeClock } from '../clock.ts'
import { messageOf } from '../failure.ts'
import { identityOf } from './process-identity.ts'

export interface Start {
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string | undefined
  /** Both are appended to; the process writes them itself and so outlives us. */
  stdoutPath: string
  stderrPath: string
}

/** How often a process that is not our child is looked at. */
const lookEveryMs = 500

/** How long after SIGKILL the end is waited for; longer takes only a process stuck in the kernel. */
const killedWithinMs = 5000

/**
 * A process in a group of its own, started by this edge or an earlier one. It does not end with the edge.
 * `ended` resolves once with the reason, a sentence part such as `exited with code 1`.
 */
export class ManagedProcess {
  readonly pid: number
  readonly identity: string
  readonly ended: Promise<string>
  readonly #clock: EdgeClock
  #hasEnded = false

  private constructor(clock: EdgeClock, pid: number, identity: string, ended: Promise<string>) {
    this.#clock = clock
    this.pid = pid
    this.identity = identity
    this.ended = ended.then((reason) => {
      this.#hasEnded = true
      // What it left behind in its group goes with it: at once, as later the number may be another group's.
      if (process.platform !== 'win32') this.signal('SIGKILL')
      return reason
    })
  }

  /** Rejects when it cannot be started, with the reason. */
  static async start(
    clock: EdgeClock,
    { argv, env, cwd, stdoutPath, stderrPath }: Start,
  ): Promise<ManagedProcess> {
    const stdout = openSync(stdoutPath, 'a', 0o600)
    const stderr = openSync(stderrPath, 'a', 0o600)
    try {
      const [command, ...args] = argv as [string, ...string[]]
      const child = spawn(command, args, {
        env,
        cwd,
        detached: true,
        stdio: ['ignore', stdout, stderr],
        windowsHide: true,
      })
      const ended = new Promise<string>((resolve) => {
        child.once('exit', (code, signal) =>
          resolve(signal === null ? `exited with code ${code}` : `was killed by ${signal}`),
        )
      })
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', (failure) => reject(new Error(`cannot be started: ${messageOf(failure)}`)))
      })
      child.unref()
      const pid = child.pid as number
      // A process that ended at once is a zombie until its exit is read: it has no identity, and needs none.
      return new ManagedProcess(clock, pid, (await identityOf(pid)) ?? 'ended', ended)
    } finally {
      closeSync(stdout)
      closeSync(stderr)
    }
  }

  /** The process of an earlier edge, if it still runs; null otherwise. */
  static async adopt(clock: EdgeClock, pid: number, identity: string | null): Promise<ManagedProcess | null> {
    const now = await identityOf(pid)
    if (now === null || (identity !== null && now !== identity)) return null
    const ended = new Promise<string>((resolve) => {
      const look = () => {
        void identityOf(pid).then((seen) => {
          if (seen === now) clock.after(lookEveryMs, look)
          else resolve('ended')
        })
      }
      clock.after(lookEveryMs, look)
    })
    return new ManagedProcess(clock, pid, now, ended)
  }

  /** SIGTERM to the group, after `graceMs` SIGKILL. Whether it has ended: what has become another user's may not. */
  async stop(graceMs: number): Promise<boolean> {
    if (this.#hasEnded) return true
    this.signal('SIGTERM')
    if (await this.#endsWithin(graceMs)) return true
    this.signal('SIGKILL')
    return this.#endsWithin(killedWithinMs)
  }

  /** To the whole group; to one that has gone or is another user's (a command such as sudo makes it so), nothing. */
  signal(name: NodeJS.Signals): void {
    try {
      process.kill(process.platform === 'win32' ? this.pid : -this.pid, name)
    } catch (failure) {
      const { code } = failure as NodeJS.ErrnoException
      if (code !== 'ESRCH' && code !== 'EPERM') throw failure
    }
  }

  async #endsWithin(timeoutMs: number): Promise<boolean> {
    let timer: Disposable | undefined
    const late = new Promise<false>((resolve) => (timer = this.#clock.after(timeoutMs, () => resolve(false))))
    const isEnded = await Promise.race([this.ended.then(() => true as const), late])
    timer?.[Symbol.dispose]()
    return isEnded
  }
}
