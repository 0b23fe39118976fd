import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { sleep, type Clock } from '../../base/index.ts'
import { allPids, readOfProcess, usersOf } from './process-files.ts'

const run = promisify(execFile)

/**
 * Distinguishes a process from a later one with the same pid: its start time. Null when it does not run (a zombie does
 * not). The text has a meaning only on this machine and until it reboots. Rejects when the system could not answer,
 * for example without a free descriptor.
 */
export async function identityOf(pid: number): Promise<string | null> {
  switch (process.platform) {
    case 'linux':
      return linuxIdentity(pid)
    case 'win32':
      return ask('powershell', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.Ticks`])
    default: {
      const answer = await ask('ps', ['-o', 'stat=,lstart=', '-p', String(pid)])
      return answer === null || answer.startsWith('Z') ? null : answer.replace(/^\S+\s+/, '')
    }
  }
}

function linuxIdentity(pid: number): string | null {
  const { state, startTicks } = linuxStat(String(pid))
  return state === '' || state === 'Z' || state === 'X' ? null : `${bootId()}.${startTicks}`
}

/** All are empty for a process that is gone. */
function linuxStat(pid: string): { state: string; group: string; startTicks: string } {
  const stat = readOfProcess(pid, 'stat')
  // The name in parentheses may hold anything, parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', group: fields[2] ?? '', startTicks: fields[19] ?? '' }
}

let bootIdSoFar = ''

/** Start times count from the boot of the machine. */
const bootId = (): string =>
  (bootIdSoFar ||= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim())

async function ask(command: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await run(command, args, { timeout: 5000 })
    return stdout.trim() || null
  } catch (failure) {
    // The command's exit code for an unknown process.
    if (typeof (failure as { code?: unknown }).code === 'number') return null
    throw failure
  }
}

/** A process that an edge started, found by the variables that it was started with. */
export interface FoundProcess {
  pid: number
  /** Whether it leads its own group, as the first process of an instance does. */
  isLeader: boolean
  /** The user that it runs as. Anyone can set the variables: they prove nothing about another user's process. */
  uid: number
  variables: ReadonlyMap<string, string>
}

/** The mark that the processes of one instance carry in their environment. */
export interface Mark {
  /** `NAME=value`. */
  variable: string
  /** The directory of the calling edge. A process that carries the mark of another existing edge is not its own. */
  edge: string
}

/**
 * Processes that have a variable of this name and belong to this user, or to an account of root's services, in order
 * of start (Linux only). Processes that an instance started are among them, after the instance.
 */
export function findByName(name: string): FoundProcess[] {
  return carriersOf((environment) => environment.startsWith(`${name}=`) || environment.includes(`\0${name}=`))
    .filter(({ pid, environment }) => isOurs(pid, environment))
    .map(({ pid, group, startTicks, environment }) => ({
      pid,
      isLeader: group === pid,
      // It may be gone by now.
      uid: usersOf(pid)[0] ?? -1,
      startTicks,
      variables: variablesOf(environment),
    }))
    .sort((a, b) => a.startTicks - b.startTicks)
}

/** The processes of `findByName` that carry `mark` and lead their own group, oldest first (Linux only). */
export const findByMark = (mark: Mark): FoundProcess[] =>
  findByName(mark.variable.slice(0, mark.variable.indexOf('='))).filter(
    ({ isLeader, pid }) => isLeader && carries(readOfProcess(pid, 'environ'), mark),
  )

/** Whether a process was started by another edge than that of `directory` which shares a record of it. */
export const isOfOtherEdge = (pid: number, directory: string): boolean =>
  process.platform === 'linux' && isMarkedByOther(readOfProcess(pid, 'environ'), directory)

/** Most rounds of signals: what is left then forks as fast as it is killed, or is stuck in the kernel. */
const maxRounds = 5

/** Wait before asking the kernel again which processes carry a mark. */
const askAgainMs = 1000

/**
 * Ends the processes that carry `mark` in their environment, even in another group or session (Linux only). Only root
 * also ends another user's processes with the mark. Resolves when that is done, which takes a free descriptor.
 */
export async function endByMark(clock: Clock, mark: Mark): Promise<void> {
  for (let round = 0; round < maxRounds;) {
    try {
      if (signalByMark(mark, 'SIGKILL', null) === 0) return
      round += 1
    } catch {
      await sleep(clock, askAgainMs)
    }
  }
}

/**
 * Sends SIGTERM to processes that carry `mark` and are not in `exceptGroup`, unless the kernel cannot answer which
 * those are.
 */
export function askToEndByMark(mark: Mark, exceptGroup: number | null): void {
  try {
    signalByMark(mark, 'SIGTERM', exceptGroup)
  } catch {
    // Then it gets SIGKILL without a SIGTERM before.
  }
}

/**
 * Signals processes that carry `mark` and are not in `exceptGroup`. Returns their number. Throws when they cannot be
 * found.
 */
function signalByMark(mark: Mark, name: NodeJS.Signals, exceptGroup: number | null): number {
  let count = 0
  for (const { pid, group } of carriersOf((environment) => carries(environment, mark))) {
    if (group === exceptGroup || pid === process.pid) continue
    // Checked again right before the signal, because its pid may belong to another process by now.
    const environment = readOfProcess(pid, 'environ')
    if (!carries(environment, mark) || !isOurs(pid, environment)) continue
    try {
      process.kill(pid, name)
      count += 1
    } catch {
      // It is gone, or may not be signaled.
    }
  }
  return count
}

interface Carrier {
  pid: number
  group: number
  startTicks: number
  environment: string
}

function carriersOf(isMeant: (environment: string) => boolean): Carrier[] {
  if (process.platform !== 'linux') return []
  return allPids().flatMap((pid) => {
    const environment = readOfProcess(pid, 'environ')
    if (environment === '' || !isMeant(environment)) return []
    const { group, startTicks } = linuxStat(pid)
    return [{ pid: Number(pid), group: Number(group), startTicks: Number(startTicks), environment }]
  })
}

const variablesOf = (environment: string): Map<string, string> =>
  new Map(
    environment.split('\0').map((entry): [string, string] => {
      const at = entry.indexOf('=')
      return [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )

const carries = (environment: string, { variable, edge }: Mark): boolean =>
  environment.split('\0').includes(variable) && !isMarkedByOther(environment, edge)

const edgeVariable = /(?:^|\0)PILOTHOUSE_EDGE=([^\0]*)/

/** A renamed directory is still that of the same edge; a copied one is not. */
function isMarkedByOther(environment: string, directory: string): boolean {
  const marked = edgeVariable.exec(environment)?.[1]
  if (marked === undefined || marked === directory) return false
  try {
    const [other, own] = [marked, directory].map((path) => statSync(path, { throwIfNoEntry: false }))
    return other !== undefined && (other.ino !== own?.ino || other.dev !== own.dev)
  } catch {
    // This edge cannot read that path, so it is not its own.
    return true
  }
}

/**
 * Whether this edge may end a process with this environment: it runs as the same user; or this edge is root, whose
 * services may run as any user, and the process names its edge. Someone who gives these variables to a process can
 * only harm their own: nobody sets the environment of another user's process.
 */
function isOurs(pid: number, environment: string): boolean {
  const [uid] = usersOf(pid)
  if (uid === undefined) return false
  const ownUid = process.getuid?.()
  return uid === ownUid || (ownUid === 0 && edgeVariable.test(environment))
}
