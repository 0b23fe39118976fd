import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * What tells a process from a later one with the same pid: when it started. Null when it does not run (a zombie does
 * not). The text is meaningful on this machine only, until it is started anew.
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

const leadsItsGroup = (pid: string): boolean => linuxStat(pid).group === pid

/** Of a process that has gone, all are empty. */
function linuxStat(pid: string): { state: string; group: string; startTicks: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold anything, parentheses too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', group: fields[2] ?? '', startTicks: fields[19] ?? '' }
  } catch {
    return { state: '', group: '', startTicks: '' }
  }
}

/** Start times count from the start of the machine. */
const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()

async function ask(command: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await run(command, args, { timeout: 5000 })
    return stdout.trim() || null
  } catch {
    return null
  }
}

/** Memory in use by a process, bytes; null when it cannot be told. */
export async function memoryOf(pid: number): Promise<number | null> {
  if (process.platform === 'linux') {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(statusOf(pid))
    return match ? Number(match[1]) * 1024 : null
  }
  if (process.platform === 'win32') return null
  const answer = await ask('ps', ['-o', 'rss=', '-p', String(pid)])
  return answer === null ? null : Number(answer) * 1024
}

/** In one go: it comes from the kernel's memory, and a thread to wait for it costs ten times as much. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch {
    return ''
  }
}

/**
 * The process that was started with `variable` in its environment, not what it started itself; null when none is
 * found (Linux only).
 */
export async function findByVariable(variable: string): Promise<number | null> {
  if (process.platform !== 'linux') return null
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
    if (environment.split('\0').includes(variable) && leadsItsGroup(name)) return Number(name)
  }
  return null
}
