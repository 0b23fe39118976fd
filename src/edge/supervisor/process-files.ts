import { readdirSync, readFileSync } from 'node:fs'

/** Error codes of the kernel for a process that is gone or belongs to another user. */
const unseen: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM']

/**
 * Reads a file of `/proc/PID`; empty when the process is gone or may not be read. Throws when the kernel could not
 * answer, for example without a free descriptor, which says nothing about the process. Synchronous, because it comes
 * from the kernel's memory and a thread would cost ten times as much.
 */
export function readOfProcess(pid: number | string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch (failure) {
    if (unseen.includes((failure as NodeJS.ErrnoException).code ?? '')) return ''
    throw failure
  }
}

/** The pids of all processes. Throws when the kernel could not answer. */
export const allPids = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name))

/** The real and effective users of a process; empty when it is gone or the system does not tell. */
export function usersOf(pid: number | string): number[] {
  const [, real, effective] = /^Uid:\s+(\d+)\s+(\d+)/m.exec(readOfProcess(pid, 'status')) ?? []
  return real === undefined ? [] : [...new Set([Number(real), Number(effective)])]
}
