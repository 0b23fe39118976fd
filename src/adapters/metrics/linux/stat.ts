import { SlotGroup, type SeriesSlots } from '../slots.ts'
import { ByteNames } from './byte-names.ts'
import { Bounds } from './bounds.ts'
import type { ByteReader } from './byte-reader.ts'
import type { Section } from './section.ts'

/** The columns of a `cpu` line, proc_stat(5). */
const columns = {
  user: 0,
  nice: 1,
  system: 2,
  idle: 3,
  iowait: 4,
  irq: 5,
  softirq: 6,
  steal: 7,
  guest: 8,
} as const
const columnCount = 9
/** guest is in user already. */
const summedCount = columns.steal + 1

/** Seconds over which idle and iowait may go back: the kernel corrects them, see proc_stat(5). */
const correctionTicks = 300
const maxCoreCount = 4096

const shares = [
  ['cpu.user', columns.user],
  ['cpu.nice', columns.nice],
  ['cpu.system', columns.system],
  ['cpu.iowait', columns.iowait],
  ['cpu.steal', columns.steal],
  ['cpu.irq', columns.irq],
  ['cpu.softirq', columns.softirq],
  ['cpu.guest', columns.guest],
] as const

/**
 * /proc/stat: CPU shares of the whole and of each core, and what the kernel counts since boot. `cpu.busy` is the share
 * of its cgroup's CPU quota that this process's group uses, where that is more than the share of the machine.
 */
export class StatSection implements Section {
  readonly group: SlotGroup
  readonly #bounds: Bounds
  #total = new CpuTimes()
  #cores: { times: CpuTimes; slot: number }[] = []
  #keys = new ByteNames<(reader: ByteReader) => void>()

  constructor(slots: SeriesSlots, bounds = new Bounds()) {
    this.#bounds = bounds
    const group = (this.group = new SlotGroup(slots))
    this.#keys.set('ctxt', (reader) => group.rate(group.slot('system.context_switches'), reader.number()))
    this.#keys.set('intr', (reader) => group.rate(group.slot('system.interrupts'), reader.number()))
    this.#keys.set('processes', (reader) => group.rate(group.slot('system.forks'), reader.number()))
    this.#keys.set('procs_running', (reader) => group.set(group.slot('processes.running'), reader.number()))
    this.#keys.set('procs_blocked', (reader) => group.set(group.slot('processes.blocked'), reader.number()))
  }

  parse(reader: ByteReader): void {
    for (; !reader.isAtEnd; reader.nextLine()) {
      const start = reader.word()
      if (isCpu(reader.bytes, start, reader.at)) this.#parseCpu(reader, start)
      else this.#keys.get(reader.bytes, start, reader.at)?.(reader)
    }
  }

  #parseCpu(reader: ByteReader, start: number): void {
    if (reader.at === start + 3) {
      this.#parseTotal(reader)
      return
    }
    reader.at = start + 3
    const core = reader.number()
    if (!(core >= 0 && core < maxCoreCount)) return
    const known = (this.#cores[core] ??= {
      times: new CpuTimes(),
      slot: this.group.slot('cpu.core.busy', { core: String(core) }),
    })
    this.#setBusy(known.slot, known.times, known.times.read(reader, this.group.elapsedSeconds))
  }

  #parseTotal(reader: ByteReader): void {
    const outcome = this.#total.read(reader, this.group.elapsedSeconds)
    this.#setBusy(this.group.slot('cpu.busy'), this.#total, outcome, this.#bounds.cpuBusy)
    for (const [name, column] of shares) {
      if (!this.#total.has(column)) continue
      const slot = this.group.slot(name)
      if (outcome === 'reset') this.group.reset(slot)
      else this.group.set(slot, this.#total.share(column))
    }
  }

  #setBusy(slot: number, times: CpuTimes, outcome: Outcome, least = NaN): void {
    if (outcome === 'reset') this.group.reset(slot)
    else if (outcome === 'read') {
      const busy = times.busy()
      this.group.set(slot, least > busy ? least : busy)
    }
  }
}

type Outcome = 'read' | 'reset' | 'unreadable'

/** The tick counters of one `cpu` line and how far they went since the line before. */
class CpuTimes {
  #previous = new Float64Array(columnCount).fill(NaN)
  #grown = new Float64Array(columnCount).fill(NaN)
  #total = NaN

  /** Reads the rest of the line. Lines of old kernels have fewer columns; the missing ones count nothing. */
  read(reader: ByteReader, elapsedSeconds: number): Outcome {
    let outcome: Outcome = 'unreadable'
    this.#total = 0
    for (let column = 0; column < columnCount; column++) {
      const ticks = reader.number()
      let grown = ticks - this.#previous[column]!
      this.#previous[column] = ticks
      if (Number.isNaN(ticks)) {
        this.#grown[column] = NaN
        continue
      }
      if (outcome === 'unreadable') outcome = 'read'
      const canBeCorrected = column === columns.idle || column === columns.iowait
      if (grown < 0 && canBeCorrected && grown > -correctionTicks) grown = 0
      if (grown < 0) outcome = 'reset'
      this.#grown[column] = grown
      if (column < summedCount) this.#total += grown
    }
    // Without a round to measure from there is no share, even where the counters stood still since.
    if (Number.isNaN(elapsedSeconds) || this.#total <= 0) this.#total = NaN
    return outcome
  }

  has(column: number): boolean {
    return !Number.isNaN(this.#previous[column])
  }

  share(column: number): number {
    return Math.min(1, this.#grown[column]! / this.#total)
  }

  /** Steal is busy: the time was wanted and not had. */
  busy(): number {
    const iowait = this.#grown[columns.iowait]!
    const idle = this.#grown[columns.idle]! + (Number.isNaN(iowait) ? 0 : iowait)
    return 1 - idle / this.#total
  }
}

function isCpu(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 3 && bytes[start] === 99 && bytes[start + 1] === 112 && bytes[start + 2] === 117
}
