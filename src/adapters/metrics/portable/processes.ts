import { AppError, fail, ok, sleep, type Clock, type Result } from '../../../base/index.ts'
import { screenText, type ProcessInfo } from '../../../contract/index.ts'
import { loadSystemInformation, type SystemInformation } from './system-information.ts'

/** systeminformation answers from its memory within this time, and measures its CPU shares since its last answer. */
const windowMs = 600
const maxWindowMs = 30_000

/** The process table of systeminformation: starts programs, so only when someone asks. */
export class PortableProcesses {
  #clock: Clock
  #coreCount: number
  #sharesAreOfOneCore: boolean
  #signal: AbortSignal
  #askedAtMs = -Infinity
  #asking: Promise<ProcessInfo[]> | undefined

  constructor(clock: Clock, platform: NodeJS.Platform, coreCount: number, signal: AbortSignal) {
    this.#clock = clock
    this.#coreCount = coreCount
    // On Linux and Windows its percentages are of the whole machine; elsewhere they are those of ps.
    this.#sharesAreOfOneCore = platform !== 'linux' && platform !== 'win32'
    this.#signal = signal
  }

  async top(by: 'cpu' | 'memory', limit: number): Promise<Result<ProcessInfo[]>> {
    const key = by === 'cpu' ? 'cpuRatio' : 'memoryBytes'
    return ok((await this.#all()).toSorted((a, b) => b[key] - a[key] || a.pid - b.pid).slice(0, limit))
  }

  async one(pid: number): Promise<Result<ProcessInfo>> {
    const found = (await this.#all()).find((process) => process.pid === pid)
    return found
      ? ok(found)
      : fail(new AppError('NOT_FOUND', `There is no process with the id ${pid}.`, { details: { pid } }))
  }

  /** How many there are now. */
  async count(): Promise<number> {
    return (await this.#all()).length
  }

  #all(): Promise<ProcessInfo[]> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #ask(): Promise<ProcessInfo[]> {
    const system = await loadSystemInformation()
    if (this.#clock.monotonicMs() - this.#askedAtMs > maxWindowMs) {
      await system.processes()
      await sleep(this.#clock, windowMs, this.#signal)
    }
    const { list } = await system.processes()
    this.#askedAtMs = this.#clock.monotonicMs()
    return list.map((process) => this.#describe(process))
  }

  #describe(process: SystemInformation.ProcessesProcessData): ProcessInfo {
    const startedAtMs = new Date(process.started).getTime()
    const command = [
      process.path && `${process.path}/`,
      process.command,
      process.params && ` ${process.params}`,
    ]
    return {
      pid: process.pid,
      parentPid: process.parentPid ?? 0,
      name: screenText(process.name ?? ''),
      command: screenText(command.filter(Boolean).join('')),
      user: screenText(process.user ?? ''),
      state: process.state || 'unknown',
      cpuRatio: (process.cpu / 100) * (this.#sharesAreOfOneCore ? 1 : this.#coreCount),
      memoryBytes: process.memRss * 1024,
      // systeminformation does not count threads.
      threadCount: 0,
      startedAtMs: Number.isNaN(startedAtMs) ? 0 : startedAtMs,
    }
  }
}
