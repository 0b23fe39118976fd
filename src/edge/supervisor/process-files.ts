import { readdirSync, readFileSync } from 'node:fs'

/** What the kernel answers of a process that has gone, or that is another user's. */
const unseen: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM']

/**
 * A file of `/proc/PID`; empty when the process has gone or may not be looked at. Throws when it could not be asked,
 * as without a free descriptor: that says nothing about the process. In one go: it comes from the kernel's memory, and
 * a thread to wait for it costs ten times as much.
 */
export function readOfProcess(pid: number | string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch (failure) {
    if (unseen.includes((failure as NodeJS.ErrnoException).code ?? '')) return ''
    throw failure
  }
}

/** The numbers of all processes. Throws when the kernel could not be asked. */
export const allPids = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name))

/** The users that a process acts as, real and effective; empty when it has gone or the system does not tell. */
export function usersOf(pid: number | string): number[] {
  const [, real, effective] = /^Uid:\s+(\d+)\s+(\d+)/m.exec(readOfProcess(pid, 'status')) ?? []
  return real === undefined ? [] : [...new Set([Number(real), Number(effective)])]
}
