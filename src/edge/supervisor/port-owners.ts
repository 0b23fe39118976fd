import type { Clock } from '../../base/index.ts'
import type { LoopbackHost } from './connections.ts'
import { listenSockets, uidsListeningAt, type ListenSocket } from './listen-table.ts'
import { usersOf } from './process-files.ts'
import type { ProcessTable } from './process-table.ts'

/** Instances that are probed at about the same time share one read of the kernel's table. */
const freshMs = 200

/**
 * Finds who listens on the ports of instances (Linux). An instance starts to listen some time after it gets its port.
 * Until then, and at the loopback address that it does not use, any other user of this machine can listen there.
 */
export class PortOwners {
  readonly #clock: Clock
  readonly #processes: ProcessTable
  readonly #read: typeof listenSockets
  #looked: { atMs: number; sockets: ListenSocket[] | null } | null = null

  constructor(clock: Clock, processes: ProcessTable, read = listenSockets) {
    this.#clock = clock
    this.#processes = processes
    this.#read = read
  }

  /**
   * Why the listener at `host` and `port` is not the instance whose first process is `leaderPid`; empty when it may
   * be. Sockets of root and of the edge's user are never refused, because both could replace the instance itself.
   */
  async trouble(host: LoopbackHost, port: number, leaderPid: number): Promise<string> {
    let uids = uidsListeningAt(this.#look() ?? [], host, port)
    if (uids.length === 0) {
      // It may have started to listen just now, or be behind connections in the table.
      const sockets = this.#read('whole')
      if (!sockets) return ''
      uids = uidsListeningAt(sockets, host, port)
    }
    // Only root can redirect the port without a listener, as Docker does without its proxy.
    if (uids.length === 0) return ''
    const isTrusted = (uid: number) => uid === 0 || uid === process.getuid?.()
    const others = uids.filter((uid) => !isTrusted(uid))
    if (others.length === 0) return ''
    // Its user, and those that its programs changed to, as with sudo.
    const own = new Set([
      ...usersOf(leaderPid),
      ...(await this.#processes.pidsOf(leaderPid)).flatMap((pid) => usersOf(pid)),
    ])
    const foreign = others.find((uid) => !own.has(uid))
    return foreign === undefined ? '' : `its port ${port} is held by another user (uid ${foreign})`
  }

  #look(): ListenSocket[] | null {
    const atMs = this.#clock.monotonicMs()
    if (!this.#looked || atMs - this.#looked.atMs >= freshMs)
      this.#looked = { atMs, sockets: this.#read('beginning') }
    return this.#looked.sockets
  }
}
