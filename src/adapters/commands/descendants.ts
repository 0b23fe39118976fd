import { readdir, readFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'

/** Rounds of looking and killing: a process may fork while it is being killed, and takes a moment to be gone. */
const mostRounds = 50

/** Sends a signal to a process group, or on Windows to a process tree (which only knows the hard way). */
export function signalGroup(leaderPid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(leaderPid), '/T', '/F'], { stdio: 'ignore' }).on(
      'error',
      () => undefined,
    )
    return
  }
  try {
    process.kill(-leaderPid, name)
  } catch {
    // Nobody is left in the group.
  }
}

/**
 * Kills what left the group with a session of its own: on Linux, every process whose environment still holds the line
 * `marker` that the command was started with. Who wipes their environment as well is not found.
 */
export async function killMarked(marker: string): Promise<void> {
  if (process.platform !== 'linux') return
  for (let round = 0; round < mostRounds; round++) {
    const pids = await markedPids(marker)
    if (pids.length === 0) return
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended by itself.
      }
    }
  }
}

async function markedPids(marker: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => [])
  const found = await Promise.all(
    entries.map(async (entry) => {
      const pid = Number(entry)
      if (!Number.isInteger(pid) || pid === process.pid) return []
      try {
        const environment = await readFile(`/proc/${entry}/environ`, 'latin1')
        return environment.split('\0').includes(marker) ? [pid] : []
      } catch {
        return []
      }
    }),
  )
  return found.flat()
}
