import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf, type Clock } from '../../base/index.ts'
import type { Account } from '../../contract/index.ts'
import { identityOf } from './process-identity.ts'

export interface Start {
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
  /** The user and group it runs as, without other groups; undefined or null for those of the edge. */
  account?: Account | null
  /**
   * Both are appended to. The process writes them itself and so outlives the edge. Output that cannot be written is
   * dropped.
   */
  stdoutPath: string
  stderrPath: string
}

/** Why a process ended, as a clause such as `exited with code 1`, and whether it may have been killed. */
export interface ProcessEnd {
  reason: string
  isKill: boolean
  /** It could not be started for lack of this machine's resources, which says nothing about the program. */
  isOurLack?: boolean
}

/** Exit code of a shell whose command was ended by SIGKILL. */
const killedCode = 128 + 9

/** How often to check a process that is not our child. */
const lookEveryMs = 500

/** How long to wait after SIGKILL; only a process stuck in the kernel takes longer. */
const killedWithinMs = 5000

/**
 * A process in a group of its own, started by this edge or an earlier one. It does not end with the edge.
 * `ended` resolves once.
 */
export class ManagedProcess {
  readonly pid: number
  readonly identity: string
  readonly ended: Promise<ProcessEnd>
  /** Why its output is not saved; empty when it is. */
  logTrouble = ''
  readonly #clock: Clock
  #hasEnded = false

  private constructor(clock: Clock, pid: number, identity: string, ended: Promise<ProcessEnd>) {
    this.#clock = clock
    this.pid = pid
    this.identity = identity
    this.ended = ended.then((end) => {
      this.#hasEnded = true
      // Processes left in its group are killed at once, because later the number may belong to another group.
      if (process.platform !== 'win32') this.signal('SIGKILL')
      return end
    })
  }

  /** Rejects when it cannot be started, with the reason. */
  static async start(
    clock: Clock,
    { argv, env, cwd, account, stdoutPath, stderrPath }: Start,
  ): Promise<ManagedProcess> {
    const stdout = openLog(stdoutPath)
    const stderr = openLog(stderrPath)
    try {
      const [command, ...args] = argv as [string, ...string[]]
      const child = spawn(command, args, {
        env,
        cwd,
        detached: true,
        stdio: ['ignore', stdout.file ?? 'ignore', stderr.file ?? 'ignore'],
        windowsHide: true,
        ...(account ? { uid: account.uid, gid: account.gid } : {}),
      })
      const ended = new Promise<ProcessEnd>((resolve) => {
        child.once('exit', (code, signal) =>
          resolve({
            reason: signal === null ? `exited with code ${code}` : `was killed by ${signal}`,
            isKill: signal === 'SIGKILL' || code === killedCode,
          }),
        )
      })
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', (failure) =>
          reject(new Error(`cannot be started: ${messageOf(failure)}`, { cause: failure })),
        )
      })
      child.unref()
      const pid = child.pid as number
      const identity = await identityOf(pid).catch((failure: unknown) => {
        // Without an identity, a later edge could not tell it from another process.
        child.kill('SIGKILL')
        throw new Error(`cannot be started: ${messageOf(failure)}`, { cause: failure })
      })
      // A process that exits at once is a zombie until its exit is read: it has no identity, and needs none.
      const started = new ManagedProcess(clock, pid, identity ?? 'ended', ended)
      started.logTrouble = stdout.trouble || stderr.trouble
      return started
    } finally {
      for (const { file } of [stdout, stderr]) if (file !== null) closeSync(file)
    }
  }

  /** The process of an earlier edge, if it still runs; null otherwise. */
  static async adopt(clock: Clock, pid: number, identity: string | null): Promise<ManagedProcess | null> {
    const now = await identityOf(pid)
    if (now === null || (identity !== null && now !== identity)) return null
    const ended = new Promise<ProcessEnd>((resolve) => {
      const look = () => {
        void identityOf(pid).then(
          (seen) => {
            if (seen === now) clock.after(lookEveryMs, look)
            else resolve({ reason: 'ended', isKill: true })
          },
          // The system could not answer, which says nothing about the process.
          () => clock.after(lookEveryMs, look),
        )
      }
      clock.after(lookEveryMs, look)
    })
    return new ManagedProcess(clock, pid, now, ended)
  }

  /**
   * Sends SIGTERM to the group, and SIGKILL after `graceMs`. Returns whether it has ended: a process that became
   * another user's may not.
   */
  async stop(graceMs: number): Promise<boolean> {
    if (this.#hasEnded) return true
    this.signal('SIGTERM')
    if (await this.#endsWithin(graceMs)) return true
    this.signal('SIGKILL')
    return this.#endsWithin(killedWithinMs)
  }

  /**
   * Signals the whole group; does nothing for one that is gone or belongs to another user (a command such as sudo does
   * that).
   */
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

/**
 * Opens a log file to append to, in a directory that may have been deleted since; null with the reason when that
 * fails.
 */
function openLog(path: string): { file: number | null; trouble: string } {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return { file: openSync(path, 'a', 0o600), trouble: '' }
  } catch (failure) {
    return { file: null, trouble: messageOf(failure) }
  }
}
