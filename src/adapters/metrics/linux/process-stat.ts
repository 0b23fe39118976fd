import { screenText } from '../../../contract/index.ts'

/** What one /proc/PID/stat says, proc_pid_stat(5). Times in ticks, memory in pages. */
export interface ProcessStat {
  pid: number
  /** At most 15 bytes, chosen by the process: may hold anything, newlines and parentheses included. */
  name: string
  state: string
  parentPid: number
  /** Spent in user and system mode. */
  cpuTicks: number
  threadCount: number
  /** After the boot of the system; with the pid it names a process for good. */
  startTicks: number
  residentPages: number
}

const stateNames: Record<string, string> = {
  R: 'running',
  S: 'sleeping',
  D: 'blocked',
  Z: 'zombie',
  T: 'stopped',
  t: 'traced',
  I: 'idle',
  X: 'dead',
}

/** Undefined where the text is not of that form, as when the process ended halfway. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const nameStart = text.indexOf('(')
  // The name can hold a parenthesis; what follows the last one cannot.
  const nameEnd = text.lastIndexOf(')')
  if (nameStart < 0 || nameEnd < nameStart) return undefined
  const fields = text.slice(nameEnd + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3] ?? NaN)
  const stat: ProcessStat = {
    pid: Number(text.slice(0, nameStart)),
    name: text.slice(nameStart + 1, nameEnd),
    state: stateNames[fields[0] ?? ''] ?? 'unknown',
    parentPid: field(4),
    cpuTicks: field(14) + field(15),
    threadCount: field(20),
    startTicks: field(22),
    residentPages: field(24),
  }
  const numbers = [
    stat.pid,
    stat.parentPid,
    stat.cpuTicks,
    stat.threadCount,
    stat.startTicks,
    stat.residentPages,
  ]
  return stat.pid > 0 && numbers.every(Number.isFinite) ? stat : undefined
}

/** The command line as a person would read it; a kernel thread has none and is shown as `[name]`. */
export function commandOf(cmdline: string, name: string): string {
  const joined = screenText(cmdline.replace(/\0+$/, '').replaceAll('\0', ' '))
  return joined === '' ? `[${screenText(name)}]` : joined
}
