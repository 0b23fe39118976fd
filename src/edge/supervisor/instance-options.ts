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
  /** Working directory, absolute. */
  directory: () => string
  output: InstanceLog
  ports: PortBook
  processes: ProcessTable
  portOwners: PortOwners
  environment: Readonly<Record<string, string | undefined>>
  /** The current definition, which may change while instances run. */
  definition: () => EdgeDefinition
  /** Whether it may be restarted for failing its health check: only one instance of a service at a time. */
  mayRecover: () => boolean
  /** Called when state, pid or port change. */
  onChange: () => void
  /** Called for a failure that counts against its release, such as `onFailure('crash')`. */
  onFailure: (failure: InstanceFailure) => void
  /**
   * Writes the state before a process starts. If the disk refuses it, the process starts nevertheless, and is found by
   * the mark in its environment.
   */
  persist: () => Promise<unknown>
  /** Resolves when this edge acts on processes: during a handover, only one of two edges does. */
  acting: () => Promise<void>
  /** Tells an edge before this one to cut what it has in progress at this instance. */
  cutElsewhere: () => void
  /** Called when it has stopped for good. */
  onGone: () => void
}
