import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Clock } from '../../base/index.ts'
import { allPids, readOfProcess, usersOf } from './process-files.ts'

/** One process as the system reports it. */
export interface ProcessRow {
  pid: number
  parentPid: number
  group: number
  /** Distinguishes it from a later one with the same pid. */
  start: string
  memoryBytes: number
  /** CPU time so far; null when the system does not report it. */
  cpuMs: number | null
}

/** The processes of one instance, and what they use together. */
export interface InstanceUsage {
  atMs: number
  memoryBytes: number
  /** By process, `pid.start`. */
  cpuMs: ReadonlyMap<string, number>
}

/**
 * The processes of an instance among all: its first one, that one's group, all their descendants, and daemonized ones
 * that still carry the instance's mark in their environment.
 */
export function membersOf(
  rows: readonly ProcessRow[],
  leaderPid: number,
  isMarked: (row: ProcessRow) => boolean,
): ProcessRow[] {
  const children = Map.groupBy(rows, ({ parentPid }) => parentPid)
  const found = new Set<ProcessRow>()
  const queue = rows.filter((row) => row.pid === leaderPid || row.group === leaderPid || isMarked(row))
  for (const row of queue) {
    if (found.has(row)) continue
    found.add(row)
    queue.push(...(children.get(row.pid) ?? []))
  }
  return [...found]
}

/** Cores used on average between two reads; a new process counts with all of its time. */
export function coresUsed(before: InstanceUsage, now: InstanceUsage): number | null {
  const spanMs = now.atMs - before.atMs
  if (spanMs <= 0 || now.cpuMs.size === 0) return null
  let usedMs = 0
  for (const [process, ms] of now.cpuMs) usedMs += Math.max(0, ms - (before.cpuMs.get(process) ?? 0))
  return usedMs / spanMs
}

/** All instances ask at about the same time, so one read of the system serves them all. */
const freshMs = 1500

/**
 * What all processes of an instance use. Memory is the sum of their resident sets, which counts shared pages once for
 * each process; `sharedMemoryOf` counts them once, but makes the kernel walk over every page.
 */
export class ProcessTable {
  readonly #clock: Clock
  #looked: { atMs: number; rows: Promise<ProcessRow[] | null> } | null = null
  /** The mark in the environment of each known process, by `pid.start`, read once. */
  #marks = new Map<string, string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Null when the system cannot tell, and when nothing of the instance runs. */
  async usageOf(leaderPid: number, instanceId: string): Promise<InstanceUsage | null> {
    const look = this.#look()
    const rows = await look.rows
    if (!rows) return null
    const members = this.#members(rows, leaderPid, instanceId)
    if (members.length === 0) return null
    const cpuMs = new Map<string, number>()
    for (const row of members) if (row.cpuMs !== null) cpuMs.set(keyOf(row), row.cpuMs)
    return { atMs: look.atMs, memoryBytes: sumOf(members.map((row) => row.memoryBytes)), cpuMs }
  }

  /** Their proportional set size, bytes; null when the kernel does not report it. */
  async sharedMemoryOf(leaderPid: number, instanceId: string): Promise<number | null> {
    const rows = await this.#look().rows
    if (!rows || process.platform !== 'linux') return null
    const members = this.#members(rows, leaderPid, instanceId)
    try {
      const sizes = members.map(
        ({ pid }) => /^Pss:\s+(\d+) kB/m.exec(readOfProcess(pid, 'smaps_rollup'))?.[1],
      )
      return sizes.includes(undefined) ? null : sumOf(sizes.map((size) => Number(size) * 1024))
    } catch {
      return null
    }
  }

  /**
   * The first process of an instance, its group and their descendants. Excludes processes that only carry the mark,
   * because anyone can set it. Empty when the system cannot tell.
   */
  async pidsOf(leaderPid: number): Promise<number[]> {
    const rows = (await this.#look().rows) ?? []
    return membersOf(rows, leaderPid, () => false).map(({ pid }) => pid)
  }

  #members(rows: readonly ProcessRow[], leaderPid: number, instanceId: string): ProcessRow[] {
    const own = [...usersOrNone(leaderPid), process.getuid?.()]
    return membersOf(
      rows,
      leaderPid,
      // Anyone can give the mark to their own process, so it says nothing about the instance.
      (row) =>
        this.#marks.get(keyOf(row)) === instanceId && usersOrNone(row.pid).some((uid) => own.includes(uid)),
    )
  }

  #look(): { atMs: number; rows: Promise<ProcessRow[] | null> } {
    const atMs = this.#clock.monotonicMs()
    if (this.#looked && atMs - this.#looked.atMs < freshMs) return this.#looked
    this.#looked = { atMs, rows: this.#read() }
    return this.#looked
  }

  async #read(): Promise<ProcessRow[] | null> {
    switch (process.platform) {
      case 'linux':
        try {
          const rows = linuxRows()
          this.#marks = new Map(
            rows.map((row) => [keyOf(row), this.#marks.get(keyOf(row)) ?? markIn(row.pid)]),
          )
          return rows
        } catch {
          // Without a free descriptor the kernel cannot answer; the next read may succeed.
          return null
        }
      case 'win32':
        return null
      default:
        return psRows()
    }
  }
}

const keyOf = ({ pid, start }: ProcessRow): string => `${pid}.${start}`

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0)

/** Also empty while the kernel cannot answer, for example without a free descriptor. */
function usersOrNone(pid: number): number[] {
  try {
    return usersOf(pid)
  } catch {
    return []
  }
}

/** The instance that started a process, directly or not; empty for most. */
const markIn = (pid: number): string =>
  /(?:^|\0)PILOTHOUSE_INSTANCE=([^\0]*)/.exec(readOfProcess(pid, 'environ'))?.[1] ?? ''

/** Linux counts CPU time in hundredths of a second wherever Node runs. */
const tickMs = 10

function linuxRows(): ProcessRow[] {
  const pageBytes = pageSize()
  return allPids().flatMap((pid) => {
    const row = linuxRow(readOfProcess(pid, 'stat'), pageBytes)
    return row ? [row] : []
  })
}

/** One line of `/proc/PID/stat`; null for a process that is gone, and for a zombie. */
export function linuxRow(stat: string, pageBytes: number): ProcessRow | null {
  // The name in parentheses may hold anything, parentheses too.
  const [state = '', parent, group, ...more] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === '' || state === 'Z' || state === 'X') return null
  return {
    pid: Number.parseInt(stat, 10),
    parentPid: Number(parent),
    group: Number(group),
    start: more[16] ?? '',
    memoryBytes: Number(more[18]) * pageBytes,
    cpuMs: (Number(more[8]) + Number(more[9])) * tickMs,
  }
}

/** Node does not report it, so it is derived from our own memory in bytes and in pages. */
function pageSize(): number {
  const own = linuxRow(readOfProcess('self', 'stat'), 1)
  return own ? 2 ** Math.round(Math.log2(process.memoryUsage.rss() / own.memoryBytes)) : 4096
}

const run = promisify(execFile)

async function psRows(): Promise<ProcessRow[] | null> {
  try {
    const { stdout } = await run('ps', ['-axo', 'pid=,ppid=,pgid=,rss=,lstart='], { timeout: 5000 })
    return stdout.split('\n').flatMap((line) => {
      const [pid, parent, group, rss, ...start] = line.trim().split(/\s+/)
      if (rss === undefined) return []
      const row = {
        pid: Number(pid),
        parentPid: Number(parent),
        group: Number(group),
        start: start.join(' '),
      }
      return [{ ...row, memoryBytes: Number(rss) * 1024, cpuMs: null }]
    })
  } catch {
    return null
  }
}
