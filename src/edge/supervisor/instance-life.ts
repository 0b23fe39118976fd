import type { CheckedHealth } from './checked-health.ts'
import type { Connections } from './connections.ts'
import type { ManagedProcess } from './managed-process.ts'
import type { UsageWatch } from './usage-watch.ts'

/** A process that runs, or ends. */
interface Alive {
  process: ManagedProcess
  connections: Connections
  usage: UsageWatch | null
}

export interface Running extends Alive {
  kind: 'running'
  health: CheckedHealth
  /** Monotonic: when its port was last seen to be its own. */
  ownedMs: number
  nextProbe: Disposable | null
  /** Takes no requests until then; null when it does. */
  ejection: Disposable | null
}

/**
 * What becomes of an instance's process. Each turn of it is an object of its own: whoever waited for something compares,
 * and recognizes what is past.
 */
export type Life =
  /** `sinceMs` is monotonic. */
  | { kind: 'starting'; sinceMs: number }
  | Running
  /** Its process is ended, to be started again. */
  | ({ kind: 'recycling'; health: CheckedHealth } & Alive)
  /** No process; the next start is planned. */
  | { kind: 'down'; nextStart: Disposable }
  /** For good: requests under way may end. */
  | {
      kind: 'stopping'
      process: ManagedProcess | null
      connections: Connections | null
      usage: UsageWatch | null
    }
  | { kind: 'gone' }
