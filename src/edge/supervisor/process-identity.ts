import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { sleep, type Clock } from '../../base/index.ts'
import { allPids, readOfProcess, usersOf } from './process-files.ts'

const run = promisify(execFile)

/**
 * What tells a process from a later one with the same pid: when it started. Null when it does not run (a zombie does
 * not). The text is meaningful on this machine only, until it is started anew. Rejects when the system could not be
 * asked, as without a free descriptor.
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

/** Of a process that has gone, all are empty. */
function linuxStat(pid: string): { state: string; group: string; startTicks: string } {
  const stat = readOfProcess(pid, 'stat')
  // The name in parentheses may hold anything, parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', group: fields[2] ?? '', startTicks: fields[19] ?? '' }
}

let bootIdSoFar = ''

/** Start times count from the start of the machine. */
const bootId = (): string =>
  (bootIdSoFar ||= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim())

async function ask(command: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await run(command, args, { timeout: 5000 })
    return stdout.trim() || null
  } catch (failure) {
    // The command's own code: it knows no such process.
    if (typeof (failure as { code?: unknown }).code === 'number') return null
    throw failure
  }
}

/** A process that an edge has started, found by the variables that it was started with. */
export interface Found {
  pid: number
  /** Leads a group of its own, as the first process of an instance does. */
  isLeader: boolean
  /** The user that it runs as. Whoever wants can carry the variables: they prove nothing of another user's process. */
  uid: number
  variables: ReadonlyMap<string, string>
}

/** What the processes of one instance carry in their environment. */
export interface Mark {
  /** `NAME=value`. */
  variable: string
  /** The directory of the edge that asks. What carries the mark of another existing edge is not its own. */
  edge: string
}

/**
 * Processes that have a variable of this name and are this user's, or an account's of root's services, in the order in
 * which they were started (Linux only). What an instance has started itself is among them, after the instance.
 */
export function findByName(name: string): Found[] {
  return carriersOf((environment) => environment.startsWith(`${name}=`) || environment.includes(`\0${name}=`))
    .filter(({ pid, environment }) => isOurs(pid, environment))
    .map(({ pid, group, startTicks, environment }) => ({
      pid,
      isLeader: group === pid,
      // It may have gone since.
      uid: usersOf(pid)[0] ?? -1,
      startTicks,
      variables: variablesOf(environment),
    }))
    .sort((a, b) => a.startTicks - b.startTicks)
}

/** Those of `findByName` that carry `mark` and lead a group of their own, oldest first (Linux only). */
export const findByMark = (mark: Mark): Found[] =>
  findByName(mark.variable.slice(0, mark.variable.indexOf('='))).filter(
    ({ isLeader, pid }) => isLeader && carries(readOfProcess(pid, 'environ'), mark),
  )

/** Whether a process was started by another edge than that of `directory`, which shares a record of it. */
export const isOfOtherEdge = (pid: number, directory: string): boolean =>
  process.platform === 'linux' && isMarkedByOther(readOfProcess(pid, 'environ'), directory)

/** More rounds than this do not end what is left: it forks as fast as it is killed, or is stuck in the kernel. */
const maxRounds = 5

/** When the kernel could not be asked who carries a mark, it is asked again after this long. */
const askAgainMs = 1000

/**
 * Ends what carries `mark` in its environment, wherever it has moved to: another group, another session (Linux only).
 * What another user has given the mark is ended with it only by root. Resolves when that is done, which takes a free descriptor.
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

/** Sends SIGTERM to what carries `mark` and is not in `exceptGroup`, unless the kernel cannot be asked who that is. */
export function askToEndByMark(mark: Mark, exceptGroup: number | null): void {
  try {
    signalByMark(mark, 'SIGTERM', exceptGroup)
  } catch {
    // It is ended without having been asked.
  }
}

/** Signals what carries `mark` and is not in `exceptGroup`; how many these were. Throws when that cannot be found. */
function signalByMark(mark: Mark, name: NodeJS.Signals, exceptGroup: number | null): number {
  let count = 0
  for (const { pid, group } of carriersOf((environment) => carries(environment, mark))) {
    if (group === exceptGroup || pid === process.pid) continue
    // Asked again right before the signal: since it was seen its number may have become another's.
    const environment = readOfProcess(pid, 'environ')
    if (!carries(environment, mark) || !isOurs(pid, environment)) continue
    try {
      process.kill(pid, name)
      count += 1
    } catch {
      // It has gone, or may not be signaled.
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

/** A directory that was renamed is still that of the same edge; one that was copied is not. */
function isMarkedByOther(environment: string, directory: string): boolean {
  const marked = edgeVariable.exec(environment)?.[1]
  if (marked === undefined || marked === directory) return false
  try {
    const [other, own] = [marked, directory].map((path) => statSync(path, { throwIfNoEntry: false }))
    return other !== undefined && (other.ino !== own?.ino || other.dev !== own.dev)
  } catch {
    // Not a place that this edge can look at, and so not its own.
    return true
  }
}

/**
 * Whether a process with this environment may be ended by us: it runs as who we are; or we are root, whose services may
 * run as any user, and it names its edge. Somebody who gives these variables to a process can only harm what is theirs:
 * nobody chooses the environment of another user's process.
 */
function isOurs(pid: number, environment: string): boolean {
  const [uid] = usersOf(pid)
  if (uid === undefined) return false
  const ownUid = process.getuid?.()
  return uid === ownUid || (ownUid === 0 && edgeVariable.test(environment))
}
