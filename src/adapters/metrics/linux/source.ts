import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, fail, messageOf, ok, type Clock, type Result } from '../../../base/index.ts'
import { type HostFacts, type ProcessInfo } from '../../../contract/index.ts'
import type { Reading, SeriesKey, HostInspector, InspectableSource } from '../../../engine/telemetry/index.ts'
import { Background, type Ticking } from '../background.ts'
import { SlotGroup, SeriesSlots } from '../slots.ts'
import {
  arcstatsSection,
  Bounds,
  cpuMaxSection,
  cpuUsageSection,
  memoryStatSection,
  numberSection,
} from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { findCgroupFiles, type CgroupFiles } from './cgroup.ts'
import { countConnections } from './connections.ts'
import { DiskstatsSection } from './diskstats.ts'
import { Filesystems } from './filesystems.ts'
import { KeptFile } from './kept-file.ts'
import { readKernelSizes, readLinuxFacts } from './kernel-facts.ts'
import { MeminfoSection } from './meminfo.ts'
import { isMeminfoVirtual } from './mounts.ts'
import { NetDevSection } from './net-dev.ts'
import { NetstatSection, SnmpSection, Sockstat6Section, SockstatSection } from './network-protocols.ts'
import { ProcessCount } from './process-count.ts'
import { Processes } from './processes.ts'
import type { Section } from './section.ts'
import { LoadSection, NumbersSection, PressureSection } from './small-files.ts'
import { StatSection } from './stat.ts'
import { readTemperatures } from './temperatures.ts'
import { VmstatSection } from './vmstat.ts'

export interface LinuxProcOptions {
  clock: Clock
  hostId: string
  /** Other roots than /proc and /sys, for recorded trees and for a host's tree mounted into a container. */
  procRoot?: string
  sysRoot?: string
}

const cadences = {
  second: 0,
  slow: 10_000,
  processes: 5_000,
  filesystems: 10_000,
  temperatures: 60_000,
} as const
/** Ticks of 10 ms make nonsense of a shorter round; its values are repeated instead. */
const shortestRoundMs = 50
/** After a longer pause a rate would be put where it does not belong. */
const longestRoundMs = 30_000

/** 200 mounts at a time with their 5 series, and some that are gone. */
const maxFilesystemSlots = 1500

interface Kept {
  file: KeptFile
  section: Section
  cadenceMs: number
  readAtMs: number
  roundCount: number
  isDue: boolean
  isRead: boolean
}

/**
 * This machine through /proc and /sys. A reading preads some fifteen kept-open files, then parses them straight
 * into the row of values: no program is started and nothing is waited for. What can hang or is dear (filesystems,
 * sensors, the number of processes) is gathered in the background and shows in a later reading.
 *
 * Files that are missing or forbidden, as in containers, just have no series. Rates are over the monotonic time
 * between two readings, which stands still while the machine sleeps, as the kernel's counters do.
 */
export class LinuxProcSource implements InspectableSource, HostInspector {
  readonly hostId: string
  #clock: Clock
  #procRoot: string
  #slots = new SeriesSlots()
  #reader = new ByteReader()
  #kept: Kept[]
  #backgrounds: Ticking[]
  #processes: Processes
  #abort = new AbortController()
  #cgroup: CgroupFiles

  constructor(options: LinuxProcOptions) {
    const { clock, hostId, procRoot = '/proc', sysRoot = '/sys' } = options
    this.hostId = hostId
    this.#clock = clock
    this.#procRoot = procRoot
    const sizes = readKernelSizes(procRoot)
    this.#processes = new Processes(clock, procRoot, sizes, this.#abort.signal)
    this.#cgroup = findCgroupFiles(procRoot, sysRoot)
    this.#kept = keptFiles(this.#slots, procRoot, sizes.pageBytes, this.#cgroup)
    this.#backgrounds = [
      this.#filesystems(join(procRoot, 'self/mountinfo')),
      this.#temperatures(sysRoot),
      this.#processCount(),
    ]
  }

  catalog(): { version: number; series: readonly SeriesKey[] } {
    return { version: this.#slots.version, series: this.#slots.series }
  }

  async facts(): Promise<HostFacts> {
    const facts = await readLinuxFacts(this.#procRoot, this.#clock.nowMs())
    const { memory, cpu } = this.#cgroup
    return {
      ...facts,
      coreCount: Math.min(facts.coreCount, Math.ceil(cpu?.cores ?? Infinity)),
      memoryBytes: Math.min(facts.memoryBytes, memory?.limitBytes ?? Infinity),
    }
  }

  async read(): Promise<Result<Reading>> {
    if (this.#abort.signal.aborted) return fail(new AppError('UNAVAILABLE', 'this metric source is closed'))
    this.#slots.resets.length = 0
    const atMs = this.#clock.nowMs()
    const monotonicMs = this.#clock.monotonicMs()
    // All files first, so that they tell of the same moment; parsing can wait.
    let readCount = 0
    for (const kept of this.#kept) {
      kept.isDue = isDue(kept, monotonicMs)
      if (!kept.isDue) continue
      kept.isRead = kept.file.read(monotonicMs)
      if (kept.isRead) readCount++
    }
    for (const kept of this.#kept) if (kept.isDue) this.#parse(kept, monotonicMs)
    for (const background of this.#backgrounds) background.tick(monotonicMs)
    if (readCount === 0 && this.#kept.every((kept) => !kept.isRead)) {
      return fail(new AppError('UNAVAILABLE', `nothing can be read below ${this.#procRoot}`))
    }
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
    return this.#answer('the connections', async () => ok(await countConnections(this.#procRoot)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort(new Error('this metric source is closed'))
    for (const { file } of this.#kept) file[Symbol.dispose]()
    await Promise.all(this.#backgrounds.map((background) => background[Symbol.asyncDispose]()))
  }

  #parse(kept: Kept, monotonicMs: number): void {
    const { section } = kept
    const roundMs = monotonicMs - kept.readAtMs
    const isMeasurable = kept.roundCount > 0 && roundMs <= Math.max(longestRoundMs, 3 * kept.cadenceMs)
    section.group.begin(isMeasurable ? roundMs / 1000 : NaN)
    if (kept.isRead) section.parse(this.#reader.reset(kept.file.bytes, kept.file.length))
    else section.absent?.()
    section.group.end()
    kept.readAtMs = monotonicMs
    kept.roundCount = kept.isRead ? kept.roundCount + 1 : 0
  }

  async #answer<T>(what: string, ask: () => Promise<Result<T>>): Promise<Result<T>> {
    if (this.#abort.signal.aborted) return fail(new AppError('UNAVAILABLE', 'this metric source is closed'))
    try {
      return await ask()
    } catch (cause) {
      return fail(new AppError('UNAVAILABLE', `cannot read ${what}: ${messageOf(cause)}`, { cause }))
    }
  }

  #filesystems(mountinfoPath: string): Ticking {
    const filesystems = new Filesystems(this.#clock, mountinfoPath, this.#abort.signal)
    const group = new SlotGroup(this.#slots, { maxSlots: maxFilesystemSlots })
    return new Background({
      group,
      clock: this.#clock,
      cadenceMs: cadences.filesystems,
      gather: () => filesystems.gather(),
      apply: (answers) => filesystems.apply(group, answers),
    })
  }

  #temperatures(sysRoot: string): Ticking {
    const group = new SlotGroup(this.#slots)
    return new Background({
      group,
      clock: this.#clock,
      cadenceMs: cadences.temperatures,
      gather: () => readTemperatures(sysRoot),
      apply: (temperatures) => {
        for (const { sensor, celsius } of temperatures)
          group.set(group.slot('temperature', { sensor }), celsius)
      },
    })
  }

  #processCount(): Ticking {
    const processes = new ProcessCount(this.#clock, this.#procRoot)
    const group = new SlotGroup(this.#slots)
    return new Background({
      group,
      clock: this.#clock,
      cadenceMs: cadences.processes,
      gather: () => processes.now(),
      apply: (count) => {
        if (count > 0) group.set(group.slot('processes.count'), count)
      },
    })
  }
}

/** The second round of a slow file comes at once, so that its rates need not wait for its cadence. */
function isDue(kept: Kept, monotonicMs: number): boolean {
  const ageMs = monotonicMs - kept.readAtMs
  return ageMs >= shortestRoundMs && (kept.roundCount < 2 || ageMs >= kept.cadenceMs)
}

function mountinfoOf(procRoot: string): string {
  try {
    return readFileSync(join(procRoot, 'self/mountinfo'), 'utf8')
  } catch {
    return ''
  }
}

function keptFiles(slots: SeriesSlots, procRoot: string, pageBytes: number, cgroup: CgroupFiles): Kept[] {
  const bounds = new Bounds()
  const kept = (path: string, section: Section, cadenceMs: number): Kept =>
    keptAt(join(procRoot, path), section, cadenceMs)
  const keptAt = (path: string, section: Section, cadenceMs: number): Kept => ({
    file: new KeptFile(path),
    section,
    cadenceMs,
    readAtMs: -Infinity,
    roundCount: 0,
    isDue: false,
    isRead: false,
  })
  const { second, slow } = cadences
  const { memory, cpu } = cgroup
  // Before the sections that use the bounds, so that both tell of the same moment.
  const bounding = isMeminfoVirtual(mountinfoOf(procRoot), procRoot)
    ? []
    : [kept('spl/kstat/zfs/arcstats', arcstatsSection(slots, bounds), second)]
  if (memory)
    bounding.push(
      keptAt(memory.limit, numberSection(slots, bounds, 'memoryLimitBytes'), second),
      keptAt(memory.usage, numberSection(slots, bounds, 'memoryUsageBytes'), second),
      keptAt(memory.stat, memoryStatSection(slots, bounds, memory.inactiveFileKey), second),
    )
  if (cpu)
    bounding.push(
      keptAt(
        cpu.quota,
        cpu.period === null
          ? cpuMaxSection(slots, bounds)
          : numberSection(slots, bounds, 'quotaMicroseconds'),
        second,
      ),
      ...(cpu.period === null
        ? []
        : [keptAt(cpu.period, numberSection(slots, bounds, 'periodMicroseconds'), second)]),
      keptAt(cpu.usage, cpuUsageSection(slots, bounds, cpu.usageKey), second),
    )
  return [
    ...bounding,
    kept('stat', new StatSection(slots, bounds), second),
    kept('loadavg', new LoadSection(slots), second),
    kept('uptime', new NumbersSection(slots, ['uptime']), second),
    kept('meminfo', new MeminfoSection(slots, bounds), second),
    kept('pressure/cpu', new PressureSection(slots, { some: 'pressure.cpu.some' }), second),
    kept(
      'pressure/memory',
      new PressureSection(slots, { some: 'pressure.memory.some', full: 'pressure.memory.full' }),
      second,
    ),
    kept(
      'pressure/io',
      new PressureSection(slots, { some: 'pressure.io.some', full: 'pressure.io.full' }),
      second,
    ),
    kept('pressure/irq', new PressureSection(slots, { full: 'pressure.irq.full' }), second),
    kept('diskstats', new DiskstatsSection(slots), second),
    kept('net/dev', new NetDevSection(slots), second),
    kept('net/sockstat', new SockstatSection(slots, pageBytes), second),
    kept('net/sockstat6', new Sockstat6Section(slots), second),
    kept('net/snmp', new SnmpSection(slots), slow),
    kept('net/netstat', new NetstatSection(slots), slow),
    kept('vmstat', new VmstatSection(slots), slow),
    kept('sys/fs/file-nr', new NumbersSection(slots, ['files.open', undefined, 'files.limit']), slow),
    kept('sys/net/netfilter/nf_conntrack_count', new NumbersSection(slots, ['conntrack.entries']), slow),
    kept('sys/net/netfilter/nf_conntrack_max', new NumbersSection(slots, ['conntrack.limit']), slow),
  ]
}
