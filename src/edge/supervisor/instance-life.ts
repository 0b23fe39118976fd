import type { CheckedHealth } from './checked-health.ts'
import type { Connections } from './connections.ts'
import type { ManagedProcess } from './managed-process.ts'
import type { UsageWatch } from './usage-watch.ts'

/** A process that runs or is ending. */
interface Alive {
  process: ManagedProcess
  connections: Connections
  usage: UsageWatch | null
}

export interface Running extends Alive {
  kind: 'running'
  health: CheckedHealth
  /** When its port was last verified to be its own, monotonic. */
  ownedMs: number
  nextProbe: Disposable | null
  /** Takes no requests until then; null when it takes them. */
  ejection: Disposable | null
}

/**
 * The life of an instance's process. Each phase is a new object: whoever awaited something compares objects to see
 * whether the phase has passed.
 */
export type Life =
  /** `sinceMs` is monotonic. */
  | { kind: 'starting'; sinceMs: number }
  | Running
  /** Its process is being stopped, to start again. */
  | ({ kind: 'recycling'; health: CheckedHealth } & Alive)
  /** No process runs; the next start is scheduled. */
  | { kind: 'down'; nextStart: Disposable }
  /** It stops for good; requests in progress may finish. */
  | {
      kind: 'stopping'
      process: ManagedProcess | null
      connections: Connections | null
      usage: UsageWatch | null
    }
  | { kind: 'gone' }
