import { allPids, identityOf, readOfProcess } from '../../edge/index.ts'
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

const guardsOf = (directory: string): number[] =>
  allPids()
    .filter((pid) => isGuardOf(directory, readOfProcess(pid, 'cmdline').split('\0')))
    .map(Number)

async function namedGuard(directory: string): Promise<number[]> {
  const guard = readPointer(directory)?.guard
  return guard && (await identityOf(guard.pid)) === guard.identity ? [guard.pid] : []
}

/** Nothing to do where it has just gone. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ESRCH') throw failure
  }
}
