import { statSync } from 'node:fs'
import { allPids, identityOf, readOfProcess, usersOf } from '../../edge/index.ts'
import { isGuardOf } from './guard.ts'
import { readPointer } from './pointer.ts'

/**
 * Ends the processes that wait to start the edge of a directory again; how many these were. On Linux all that run,
 * elsewhere the one that the edge has named.
 */
export async function endGuards(directory: string): Promise<number> {
  const guards = process.platform === 'linux' ? guardsOf(directory) : await namedGuard(directory)
  for (const pid of guards) endProcess(pid)
  return guards.length
}

function guardsOf(directory: string): number[] {
  const uids = guardUids(directory)
  return allPids()
    .filter((pid) => isGuardOf(directory, readOfProcess(pid, 'cmdline').split('\0')))
    .filter((pid) => usersOf(pid).some((uid) => uids.includes(uid)))
    .map(Number)
}

/** This user; for root, who may stop everybody's edge, also the owner of its directory. Anyone can copy arguments. */
function guardUids(directory: string): readonly number[] {
  const own = process.getuid?.() ?? 0
  const owner = own === 0 ? statSync(directory, { throwIfNoEntry: false })?.uid : undefined
  return owner === undefined ? [own] : [own, owner]
}

async function namedGuard(directory: string): Promise<number[]> {
  const guard = readPointer(directory)?.guard
  return guard && (await identityOf(guard.pid)) === guard.identity ? [guard.pid] : []
}

/** Nothing to do where it has just gone. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ESRCH') throw failure
  }
}
