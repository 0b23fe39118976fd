import type { EdgeRelease, EdgeDefinition } from '../../contract/index.ts'
import type { InstanceFailure } from '../counts/index.ts'
import type { Surroundings } from '../machine/index.ts'
import type { InstanceLog } from './instance-log.ts'
import type { PortBook } from './port-book.ts'
import type { PortOwners } from './port-owners.ts'
import type { ProcessTable } from './process-table.ts'

export interface InstanceOptions extends Surroundings {
  id: string
  /** The real path of the edge's directory. */
  edgeDirectory: string
  ordinal: number
  release: EdgeRelease
  /** Where it runs, absolute. */
  directory: () => string
  output: InstanceLog
  ports: PortBook
  processes: ProcessTable
  portOwners: PortOwners
  environment: Readonly<Record<string, string | undefined>>
  /** As it is now: definitions change while instances run. */
  definition: () => EdgeDefinition
  /** Whether it may be restarted for failing its health check: no more than one of a service at a time. */
  mayRecover: () => boolean
  /** State, pid or port are others than before. */
  onChange: () => void
  /** Counts against its release, e.g. `onFailure('crash')`. */
  onFailure: (failure: InstanceFailure) => void
  /**
   * To be on the disk before a process is started. Where the disk takes nothing the process starts nevertheless; the
   * mark in its environment is what it is found by then.
   */
  persist: () => Promise<unknown>
  /** Resolves when it is this edge that acts on processes: only one of two that hand over does. */
  acting: () => Promise<void>
  /** It has stopped for good. */
  onGone: () => void
}
