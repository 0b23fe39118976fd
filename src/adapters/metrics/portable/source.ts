import { statfs } from 'node:fs/promises'
import os from 'node:os'
import { AppError, fail, messageOf, ok, type Clock, type Result } from '../../../base/index.ts'
import { type HostFacts, type ProcessInfo } from '../../../contract/index.ts'
import type { Reading, SeriesKey, HostInspector, InspectableSource } from '../../../engine/telemetry/index.ts'
import { Background, type Ticking } from '../background.ts'
import { SlotGroup, SeriesSlots } from '../slots.ts'
import { PortableCpu } from './cpu.ts'
import { PortableProcesses } from './processes.ts'
import { known, loadSystemInformation, stateNameOf, type SystemInformation } from './system-information.ts'

export interface PortableOptions {
  clock: Clock
  hostId: string
  platform: NodeJS.Platform
}

/** Each of these starts programs, so they are asked seldom. */
const cadences = {
  memory: 5_000,
  network: 5_000,
  disks: 5_000,
  filesystems: 10_000,
  processes: 30_000,
  temperatures: 60_000,
} as const
const longestRoundMs = 30_000
const shortestRoundMs = 50
const millisecondsPerSecond = 1000

/**
 * Any machine Node runs on: CPU, load and uptime from Node itself at every reading; memory, network, disks,
 * filesystems and temperatures from systeminformation in the background. Values between two answers are the last
 * known ones.
 */
export class PortableSource implements InspectableSource, HostInspector {
  readonly hostId: string
  #clock: Clock
  #platform: NodeJS.Platform
  #slots = new SeriesSlots()
  #group = new SlotGroup(this.#slots)
  #cpu = new PortableCpu(this.#group)
  #readAtMs = NaN
  #backgrounds: Ticking[]
  #processes: PortableProcesses
  #abort = new AbortController()
  #powerShell: Promise<void>

  constructor({ clock, hostId, platform }: PortableOptions) {
    this.hostId = hostId
    this.#clock = clock
    this.#platform = platform
    this.#processes = new PortableProcesses(clock, platform, os.cpus().length, this.#abort.signal)
    // One PowerShell for all questions; without it each of them would start its own.
    this.#powerShell =
      platform === 'win32'
        ? loadSystemInformation().then((system) => system.powerShellStart())
        : Promise.resolve()
    this.#backgrounds = [
      this.#memory(),
      this.#network(),
      this.#disks(),
      this.#filesystems(),
      this.#temperatures(),
      this.#processCount(),
    ]
  }

  catalog(): { version: number; series: readonly SeriesKey[] } {
    return { version: this.#slots.version, series: this.#slots.series }
  }

  async facts(): Promise<HostFacts> {
    const system = await this.#system()
    const { distro, release } = await system.osInfo()
    const cpus = os.cpus()
    return {
      hostname: os.hostname(),
      platform: this.#platform,
      osName: [distro, release].filter(Boolean).join(' ') || os.type(),
      kernel: os.release(),
      arch: os.arch(),
      cpuModel: cpus[0]?.model.trim() ?? '',
      coreCount: cpus.length,
      memoryBytes: os.totalmem(),
      bootedAtMs: this.#clock.nowMs() - os.uptime() * millisecondsPerSecond,
    }
  }

  async read(): Promise<Result<Reading>> {
    if (this.#abort.signal.aborted) return fail(new AppError('UNAVAILABLE', 'this metric source is closed'))
    this.#slots.resets.length = 0
    const atMs = this.#clock.nowMs()
    const monotonicMs = this.#clock.monotonicMs()
    const roundMs = monotonicMs - this.#readAtMs
    if (!(roundMs < shortestRoundMs)) this.#readOwn(roundMs, monotonicMs)
    for (const background of this.#backgrounds) background.tick(monotonicMs)
    return ok({
      atMs,
      monotonicMs,
      catalogVersion: this.#slots.version,
      values: this.#slots.copy(),
      counterResets: this.#slots.resets.slice(),
    })
  }

  get inspector(): HostInspector {
    return this
  }

  topProcesses(by: 'cpu' | 'memory', limit: number): Promise<Result<ProcessInfo[]>> {
    return this.#answer('the processes', () => this.#processes.top(by, limit))
  }

  process(pid: number): Promise<Result<ProcessInfo>> {
    return this.#answer(`process ${pid}`, () => this.#processes.one(pid))
  }

  connectionCounts(): Promise<Result<Record<string, number>>> {
    return this.#answer('the connections', async () => {
      const counts: Record<string, number> = {}
      for (const connection of await (await this.#system()).networkConnections()) {
        if (!connection.protocol.startsWith('tcp')) continue
        const state = stateNameOf(connection)
        if (state !== '') counts[state] = (counts[state] ?? 0) + 1
      }
      return ok(counts)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#abort.signal.aborted) return
    this.#abort.abort(new Error('this metric source is closed'))
    await Promise.all(this.#backgrounds.map((background) => background[Symbol.asyncDispose]()))
    if (this.#platform === 'win32') (await this.#system()).powerShellRelease()
  }

  /** What Node itself knows, without waiting. */
  #readOwn(roundMs: number, monotonicMs: number): void {
    const group = this.#group
    group.begin(roundMs <= longestRoundMs ? roundMs / millisecondsPerSecond : NaN)
    this.#readAtMs = monotonicMs
    this.#cpu.apply(os.cpus())
    group.set(group.slot('uptime'), os.uptime())
    group.set(group.slot('memory.total'), os.totalmem())
    // Windows has no load average and Node says 0 there, which would be a lie.
    if (this.#platform !== 'win32') {
      const [load1, load5, load15] = os.loadavg()
      group.set(group.slot('load.1m'), load1!)
      group.set(group.slot('load.5m'), load5!)
      group.set(group.slot('load.15m'), load15!)
    }
    group.end()
  }

  async #system() {
    await this.#powerShell
    return loadSystemInformation()
  }

  async #answer<T>(what: string, ask: () => Promise<Result<T>>): Promise<Result<T>> {
    if (this.#abort.signal.aborted) return fail(new AppError('UNAVAILABLE', 'this metric source is closed'))
    try {
      return await ask()
    } catch (cause) {
      return fail(new AppError('UNAVAILABLE', `cannot read ${what}: ${messageOf(cause)}`, { cause }))
    }
  }

  #background<T>(cadenceMs: number, gather: () => Promise<T>, apply: (group: SlotGroup, outcome: T) => void) {
    const group = new SlotGroup(this.#slots)
    const clock = this.#clock
    return new Background({ group, clock, cadenceMs, gather, apply: (outcome) => apply(group, outcome) })
  }

  #memory(): Ticking {
    return this.#background(
      cadences.memory,
      async () => (await this.#system()).mem(),
      (group, memory) => {
        group.set(group.slot('memory.used'), memory.total - memory.available)
        group.set(group.slot('memory.available'), memory.available)
        group.set(group.slot('memory.free'), memory.free)
        group.set(group.slot('memory.cached'), memory.cached)
        group.set(group.slot('swap.total'), memory.swaptotal)
        group.set(group.slot('swap.used'), memory.swapused)
      },
    )
  }

  #network(): Ticking {
    return this.#background(
      cadences.network,
      async () => (await this.#system()).networkStats('*'),
      (group, interfaces) => {
        for (const stats of interfaces) {
          const labels = { interface: stats.iface }
          group.rate(group.slot('network.received', labels), known(stats.rx_bytes))
          group.rate(group.slot('network.sent', labels), known(stats.tx_bytes))
          group.rate(group.slot('network.receive_errors', labels), known(stats.rx_errors))
          group.rate(group.slot('network.send_errors', labels), known(stats.tx_errors))
          group.rate(group.slot('network.receive_drops', labels), known(stats.rx_dropped))
          group.rate(group.slot('network.send_drops', labels), known(stats.tx_dropped))
        }
      },
    )
  }

  /** All disks together: that is what systeminformation tells apart from the system's own tools. */
  #disks(): Ticking {
    return this.#background(
      cadences.disks,
      async () => {
        const system = await this.#system()
        // Where one of them is not supported the library says null.
        const [bytes, requests]: [
          SystemInformation.FsStatsData | null,
          SystemInformation.DisksIoData | null,
        ] = await Promise.all([system.fsStats(), system.disksIO()])
        return { bytes, requests }
      },
      (group, { bytes, requests }) => {
        const labels = { device: 'all' }
        if (bytes) {
          group.rate(group.slot('disk.read', labels), known(bytes.rx))
          group.rate(group.slot('disk.written', labels), known(bytes.wx))
        }
        if (requests) {
          group.rate(group.slot('disk.reads', labels), known(requests.rIO))
          group.rate(group.slot('disk.writes', labels), known(requests.wIO))
        }
      },
    )
  }

  #filesystems(): Ticking {
    return this.#background(
      cadences.filesystems,
      async () => {
        const found = await (await this.#system()).fsSize()
        return Promise.all(
          found.map(async (filesystem) => ({
            filesystem,
            inodes:
              this.#platform === 'win32' ? undefined : await statfs(filesystem.mount).catch(() => undefined),
          })),
        )
      },
      (group, found) => {
        for (const { filesystem, inodes } of found) {
          const labels = { mount: filesystem.mount, device: filesystem.fs }
          group.set(group.slot('filesystem.size', labels), filesystem.size)
          group.set(group.slot('filesystem.used', labels), filesystem.used)
          group.set(group.slot('filesystem.available', labels), filesystem.available)
          if (!inodes || inodes.files <= 0) continue
          group.set(group.slot('filesystem.inodes_total', labels), inodes.files)
          group.set(group.slot('filesystem.inodes_used', labels), inodes.files - inodes.ffree)
        }
      },
    )
  }

  #temperatures(): Ticking {
    return this.#background(
      cadences.temperatures,
      async () => (await this.#system()).cpuTemperature(),
      (group, { main }) => {
        const celsius = known(main)
        if (celsius > 0) group.set(group.slot('temperature', { sensor: 'cpu' }), celsius)
      },
    )
  }

  #processCount(): Ticking {
    return this.#background(
      cadences.processes,
      () => this.#processes.count(),
      (group, count) => group.set(group.slot('processes.count'), count),
    )
  }
}
