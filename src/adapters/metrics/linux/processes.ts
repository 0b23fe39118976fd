import { closeSync, openSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError, fail, ok, sleep, type Clock, type Result } from '../../../base/index.ts'
import { screenText, type ProcessInfo } from '../../../contract/index.ts'
import { readBootedAtMs, type KernelSizes } from './kernel-facts.ts'
import { listProcesses } from './process-count.ts'
import { commandOf, parseProcessStat, type ProcessStat } from './process-stat.ts'

/** The shortest window worth a CPU share: fifty ticks. */
const windowMs = 500
/** A table older than this says little about now. */
const maxWindowMs = 30_000
/** Processes read before other work gets a turn: about a millisecond. */
const batchSize = 200
const usersCadenceMs = 60_000
const maxCommandBytes = 4096

interface Row extends ProcessStat {
  cpuRatio: number
}

interface Table {
  atMs: number
  rows: Map<number, Row>
}

/**
 * The process table, read when someone asks. The CPU share is that between this table and the one before, which
 * is kept; tables are at least half a second apart, so that callers do not spoil each other's window.
 */
export class Processes {
  #clock: Clock
  #procRoot: string
  #sizes: KernelSizes
  #signal: AbortSignal
  #table: Table | undefined
  #reading: Promise<Table> | undefined
  #buffer = new Uint8Array(4096)
  #users = Promise.resolve(new Map<string, string>())
  #usersReadAtMs = -Infinity

  /** `signal` ends the wait for the second table. */
  constructor(clock: Clock, procRoot: string, sizes: KernelSizes, signal: AbortSignal) {
    this.#clock = clock
    this.#procRoot = procRoot
    this.#sizes = sizes
    this.#signal = signal
  }

  async top(by: 'cpu' | 'memory', limit: number): Promise<Result<ProcessInfo[]>> {
    const table = await this.#current()
    const weight = by === 'cpu' ? (row: Row) => row.cpuRatio : (row: Row) => row.residentPages
    const rows = [...table.rows.values()]
      .sort((a, b) => weight(b) - weight(a) || a.pid - b.pid)
      .slice(0, limit)
    const bootedAtMs = await readBootedAtMs(this.#procRoot)
    return ok(await Promise.all(rows.map((row) => this.#describe(row, bootedAtMs))))
  }

  async one(pid: number): Promise<Result<ProcessInfo>> {
    const row = (await this.#current()).rows.get(pid)
    if (!row)
      return fail(new AppError('NOT_FOUND', `There is no process with the id ${pid}.`, { details: { pid } }))
    return ok(await this.#describe(row, await readBootedAtMs(this.#procRoot)))
  }

  #current(): Promise<Table> {
    this.#reading ??= this.#measure().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #measure(): Promise<Table> {
    const ageMs = this.#clock.monotonicMs() - (this.#table?.atMs ?? -Infinity)
    if (this.#table && ageMs < windowMs) return this.#table
    let previous = ageMs <= maxWindowMs ? this.#table : undefined
    if (!previous) {
      previous = await this.#read(undefined)
      await sleep(this.#clock, windowMs, this.#signal)
    }
    this.#table = await this.#read(previous)
    return this.#table
  }

  async #read(previous: Table | undefined): Promise<Table> {
    const pids = await listProcesses(this.#procRoot)
    const atMs = this.#clock.monotonicMs()
    const rows = new Map<number, Row>()
    for (let i = 0; i < pids.length; i++) {
      if (i > 0 && i % batchSize === 0) await nextTurn()
      const stat = parseProcessStat(this.#readSmall(join(this.#procRoot, pids[i]!, 'stat')))
      if (stat) rows.set(stat.pid, { ...stat, cpuRatio: this.#cpuRatio(stat, previous, atMs) })
    }
    return { atMs, rows }
  }

  #cpuRatio(stat: ProcessStat, previous: Table | undefined, atMs: number): number {
    if (!previous) return 0
    const before = previous.rows.get(stat.pid)
    // One that was not there before, or only under the same number, spent all its time within the window.
    const spentBefore = before?.startTicks === stat.startTicks ? before.cpuTicks : 0
    const seconds = (atMs - previous.atMs) / 1000
    return Math.max(0, stat.cpuTicks - spentBefore) / this.#sizes.ticksPerSecond / seconds
  }

  async #describe(row: Row, bootedAtMs: number): Promise<ProcessInfo> {
    const folder = join(this.#procRoot, String(row.pid))
    return {
      pid: row.pid,
      parentPid: row.parentPid,
      name: screenText(row.name),
      command: commandOf(this.#readSmall(join(folder, 'cmdline')), row.name),
      user: await this.#userOf(this.#readSmall(join(folder, 'status'))),
      state: row.state,
      cpuRatio: row.cpuRatio,
      memoryBytes: row.residentPages * this.#sizes.pageBytes,
      threadCount: row.threadCount,
      startedAtMs: bootedAtMs + (row.startTicks / this.#sizes.ticksPerSecond) * 1000,
    }
  }

  /** The name of the effective user; the number where /etc/passwd does not know it. */
  async #userOf(status: string): Promise<string> {
    const uid = /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]
    if (uid === undefined) return ''
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#usersReadAtMs >= usersCadenceMs) {
      this.#usersReadAtMs = nowMs
      this.#users = readFile('/etc/passwd', 'utf8').then(parseUsers, () => new Map<string, string>())
    }
    return (await this.#users).get(uid) ?? uid
  }

  /** The first 4 KiB of a file; empty when it is gone or forbidden. Open, read and close cost 8 us together. */
  #readSmall(path: string): string {
    let fd: number | undefined
    try {
      fd = openSync(path, 'r')
      const count = readSync(fd, this.#buffer, 0, maxCommandBytes, 0)
      return new TextDecoder().decode(this.#buffer.subarray(0, count))
    } catch {
      return ''
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }
}

/** Names by number of a text of passwd(5); the first entry of a number counts. */
export function parseUsers(passwd: string): Map<string, string> {
  const users = new Map<string, string>()
  for (const line of passwd.split('\n')) {
    const [name, , uid] = line.split(':')
    if (name && uid && !users.has(uid)) users.set(uid, screenText(name))
  }
  return users
}
