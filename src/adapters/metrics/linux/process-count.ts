import { readlinkSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../base/index.ts'

const recountMs = 60_000
/** The first PID namespace has this number on every kernel: PROC_PID_INIT_INO. */
const wholeMachine = 'pid:[4026531836]'

/**
 * How many processes there are. Listing /proc costs more than all of a reading, so it is done once a minute; in
 * between the kernel's own count tells the difference: it is part of the link count of /proc, together with the
 * other folders there. That count is of the whole machine, so in a container every answer is a listing.
 */
export class ProcessCount {
  #clock: Clock
  #procRoot: string
  #hasKernelCount: boolean
  #recountedAtMs = -Infinity
  #otherLinks = 0

  constructor(clock: Clock, procRoot: string) {
    this.#clock = clock
    this.#procRoot = procRoot
    this.#hasKernelCount = linkOf(join(procRoot, 'self/ns/pid')) === wholeMachine
  }

  /** NaN where /proc cannot be listed. */
  async now(): Promise<number> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#hasKernelCount && nowMs - this.#recountedAtMs < recountMs)
      return this.#links() - this.#otherLinks
    const count = (await listProcesses(this.#procRoot)).length
    if (this.#hasKernelCount) this.#otherLinks = this.#links() - count
    this.#recountedAtMs = nowMs
    return count > 0 ? count : NaN
  }

  #links(): number {
    return statSync(this.#procRoot).nlink
  }
}

/** The pids there are, as the names of their folders. */
export async function listProcesses(procRoot: string): Promise<string[]> {
  const names = await readdir(procRoot).catch(() => [])
  return names.filter((name) => /^[1-9]\d*$/.test(name))
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
