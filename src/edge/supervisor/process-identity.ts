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

/** Of a process that has gone, all are empty. */
function linuxStat(pid: string): { state: string; group: string; startTicks: string } {
  const stat = readNow(`/proc/${pid}/stat`)
  // The name in parentheses may hold anything, parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', group: fields[2] ?? '', startTicks: fields[19] ?? '' }
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
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readNow(`/proc/${pid}/status`))
    return match ? Number(match[1]) * 1024 : null
  }
  if (process.platform === 'win32') return null
  const answer = await ask('ps', ['-o', 'rss=', '-p', String(pid)])
  return answer === null ? null : Number(answer) * 1024
}

/** In one go: it comes from the kernel's memory, and a thread to wait for it costs ten times as much. */
function readNow(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/**
 * The process that was started with `variable` in its environment, not what it started itself; null when none is
 * found (Linux only).
 */
export async function findByVariable(variable: string): Promise<number | null> {
  return (await carriersOf(variable)).find(({ pid, group }) => group === pid)?.pid ?? null
}

/** More rounds than this do not end what is left: it forks as fast as it is killed, or is stuck in the kernel. */
const maxRounds = 5

/**
 * Ends what carries `variable` in its environment, wherever it has moved to: another group, another session (Linux
 * only). Never another user's process.
 */
export async function endByVariable(variable: string): Promise<void> {
  for (let round = 0; round < maxRounds; round++)
    if ((await signalByVariable(variable, 'SIGKILL', null)) === 0) return
}

/** Signals what carries `variable` and is not in `exceptGroup`; how many these were. */
export async function signalByVariable(
  variable: string,
  name: NodeJS.Signals,
  exceptGroup: number | null,
): Promise<number> {
  let count = 0
  for (const { pid, group } of await carriersOf(variable)) {
    if (group === exceptGroup || pid === process.pid) continue
    // Asked again in the turn of the signal: since it was seen its number may have become another's.
    if (!carries(readNow(`/proc/${pid}/environ`), variable) || !isOurs(pid)) continue
    try {
      process.kill(pid, name)
      count += 1
    } catch {
      // It has gone, or may not be signalled.
    }
  }
  return count
}

async function carriersOf(variable: string): Promise<{ pid: number; group: number }[]> {
  if (process.platform !== 'linux') return []
  const carriers = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
    if (carries(environment, variable))
      carriers.push({ pid: Number(name), group: Number(linuxStat(name).group) })
  }
  return carriers
}

const carries = (environment: string, variable: string): boolean => environment.split('\0').includes(variable)

/** Whether it runs as who we are: root may signal all, and whoever wants could carry the variable. */
const isOurs = (pid: number): boolean =>
  /^Uid:\s+(\d+)/m.exec(readNow(`/proc/${pid}/status`))?.[1] === String(process.getuid?.())
