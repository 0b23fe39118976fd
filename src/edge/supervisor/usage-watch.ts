import { readFileSync } from 'node:fs'
import type { Clock } from '../../base/index.ts'
import { coresUsed, type InstanceUsage, type ProcessTable } from './process-table.ts'

const lookEveryMs = 2000

export interface UsageWatchOptions {
  clock: Clock
  processes: ProcessTable
  pid: number
  instanceId: string
  /** The current limit, bytes; null for none. */
  limit: () => number | null
  onOver: (bytes: number) => void
}

/** Reads what all processes of one instance use, every 2 s, and whether that exceeds its memory limit. */
export class UsageWatch implements Disposable {
  readonly #options: UsageWatchOptions
  readonly #timer: Disposable
  #last: InstanceUsage | null = null
  #memoryBytes: number | null = null
  #cpuCores: number | null = null
  #oomKills = oomKillsSoFar()
  #isOver = false

  constructor(options: UsageWatchOptions) {
    this.#options = options
    this.#timer = options.clock.every(lookEveryMs, () => void this.#look())
  }

  get memoryBytes(): number | null {
    return this.#memoryBytes
  }

  /** Null before the second read. */
  get cpuCores(): number | null {
    return this.#cpuCores
  }

  /** Whether the kernel has killed anything on this machine for lack of memory since the last read. */
  get hasMachineRunOutOfMemory(): boolean {
    return oomKillsSoFar() > this.#oomKills
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]()
  }

  async #look(): Promise<void> {
    const { processes, pid, instanceId, limit, onOver } = this.#options
    const usage = await processes.usageOf(pid, instanceId)
    this.#oomKills = oomKillsSoFar()
    this.#cpuCores = usage && this.#last ? (coresUsed(this.#last, usage) ?? this.#cpuCores) : null
    this.#last = usage
    this.#memoryBytes = usage?.memoryBytes ?? null
    const most = limit()
    if (!usage || most === null || usage.memoryBytes <= most || this.#isOver) return
    // Processes of one program share pages, which so far count once for each of them.
    const shared = usage.cpuMs.size > 1 ? await processes.sharedMemoryOf(pid, instanceId) : null
    const bytes = shared ?? usage.memoryBytes
    this.#memoryBytes = bytes
    if (bytes <= most) return
    this.#isOver = true
    onOver(bytes)
  }
}

/** OOM kills of the whole machine since it started; 0 when the kernel does not report them. */
function oomKillsSoFar(): number {
  if (process.platform !== 'linux') return 0
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync('/proc/vmstat', 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
