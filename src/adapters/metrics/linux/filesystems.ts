import { readFile, statfs } from 'node:fs/promises'
import type { Clock } from '../../../base/index.ts'
import type { SlotGroup } from '../slots.ts'
import { parseMounts, type Mount } from './mounts.ts'

/** What statfs tells of a filesystem: blocks are counted in units of `frsize`, which may be smaller than `bsize`. */
export interface Space {
  bsize: number
  /** Left out by Node before 24.14; 0 on filesystems that do not know it. */
  frsize?: number
  blocks: number
  bfree: number
  bavail: number
  files: number
  ffree: number
}

export type AskSpace = (path: string) => Promise<Space>

const mountsCadenceMs = 60_000
const answerWithinMs = 2000
/** A hung call holds a thread of the pool that all file access shares (four by default) until the server is back. */
const maxUnansweredRemote = 2

/** Space and inodes of each watched mount. One that does not answer in time has no values until it does. */
export class Filesystems {
  #clock: Clock
  #mountinfoPath: string
  #signal: AbortSignal
  #askSpace: AskSpace
  #mounts: Mount[] = []
  #mountsReadAtMs = -Infinity
  #unanswered = new Map<string, Mount>()

  /** `signal` ends the wait for mounts that do not answer. */
  constructor(clock: Clock, mountinfoPath: string, signal: AbortSignal, askSpace: AskSpace = statfs) {
    this.#clock = clock
    this.#mountinfoPath = mountinfoPath
    this.#signal = signal
    this.#askSpace = askSpace
  }

  /** Asks all mounts that are not still busy with an earlier question, the local ones first. */
  async gather(): Promise<{ mount: Mount; space: Space }[]> {
    await this.#refreshMounts()
    const answers: { mount: Mount; space: Space }[] = []
    for (const mount of this.#mounts.toSorted((a, b) => Number(a.isRemote) - Number(b.isRemote))) {
      if (this.#signal.aborted) break
      if (this.#unanswered.has(mount.mount)) continue
      if (mount.isRemote && this.#unansweredRemoteCount() >= maxUnansweredRemote) continue
      const space = await this.#ask(mount)
      if (space) answers.push({ mount, space })
    }
    return answers
  }

  apply(group: SlotGroup, answers: { mount: Mount; space: Space }[]): void {
    for (const { mount, space } of answers) {
      const labels = { mount: mount.mount, device: mount.device }
      const blockBytes = space.frsize || space.bsize
      group.set(group.slot('filesystem.size', labels), space.blocks * blockBytes)
      group.set(group.slot('filesystem.used', labels), (space.blocks - space.bfree) * blockBytes)
      group.set(group.slot('filesystem.available', labels), space.bavail * blockBytes)
      // btrfs and many network filesystems have no fixed number of inodes and say 0.
      if (space.files <= 0) continue
      group.set(group.slot('filesystem.inodes_total', labels), space.files)
      group.set(group.slot('filesystem.inodes_used', labels), space.files - space.ffree)
    }
  }

  async #refreshMounts(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#mountsReadAtMs < mountsCadenceMs) return
    this.#mountsReadAtMs = nowMs
    this.#mounts = parseMounts(await readFile(this.#mountinfoPath, 'utf8').catch(() => ''))
  }

  #ask(mount: Mount): Promise<Space | undefined> {
    this.#unanswered.set(mount.mount, mount)
    return new Promise((resolve) => {
      const stopWaiting = (space?: Space) => {
        timer[Symbol.dispose]()
        this.#signal.removeEventListener('abort', giveUp)
        resolve(space !== undefined && space.blocks > 0 ? space : undefined)
      }
      const giveUp = () => stopWaiting()
      const timer = this.#clock.after(answerWithinMs, giveUp)
      this.#signal.addEventListener('abort', giveUp)
      const settle = (space?: Space) => {
        this.#unanswered.delete(mount.mount)
        stopWaiting(space)
      }
      this.#askSpace(mount.mount).then(settle, () => settle())
    })
  }

  #unansweredRemoteCount(): number {
    return [...this.#unanswered.values()].filter((mount) => mount.isRemote).length
  }
}
