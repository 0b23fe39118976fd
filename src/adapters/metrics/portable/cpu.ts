import type { CpuInfo } from 'node:os'
import type { SeriesName } from '../../../contract/index.ts'
import type { SlotGroup } from '../slots.ts'

/** Libuv gives every system these five, in milliseconds since the start of the machine. */
type Times = CpuInfo['times']

const shares: readonly (readonly [SeriesName, keyof Times])[] = [
  ['cpu.user', 'user'],
  ['cpu.nice', 'nice'],
  ['cpu.system', 'sys'],
  ['cpu.irq', 'irq'],
]

/** CPU shares between two answers of os.cpus(). */
export class PortableCpu {
  #group: SlotGroup
  #previous: readonly Times[] = []

  constructor(group: SlotGroup) {
    this.#group = group
  }

  apply(cpus: readonly { times: Times }[]): void {
    const group = this.#group
    const before = this.#previous
    const now = cpus.map(({ times }) => times)
    this.#previous = now
    // A core that came or went makes the sums incomparable for one round.
    const grown = now.map((times, core) =>
      before.length === now.length && !Number.isNaN(group.elapsedSeconds)
        ? difference(before[core]!, times)
        : unknown,
    )
    const hasGoneBack = grown.some((times) => Object.values(times).some((value) => value < 0))
    const set = (slot: number, value: number) => (hasGoneBack ? group.reset(slot) : group.set(slot, value))
    grown.forEach((times, core) => set(group.slot('cpu.core.busy', { core: String(core) }), busy(times)))
    const all = grown.reduce(sum, { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 })
    set(group.slot('cpu.busy'), busy(all))
    for (const [name, key] of shares) set(group.slot(name), all[key] / total(all))
  }
}

const unknown: Times = { user: NaN, nice: NaN, sys: NaN, idle: NaN, irq: NaN }

const combine = (a: Times, b: Times, join: (a: number, b: number) => number): Times => ({
  user: join(a.user, b.user),
  nice: join(a.nice, b.nice),
  sys: join(a.sys, b.sys),
  idle: join(a.idle, b.idle),
  irq: join(a.irq, b.irq),
})

const difference = (before: Times, now: Times): Times => combine(before, now, (a, b) => b - a)
const sum = (a: Times, b: Times): Times => combine(a, b, (x, y) => x + y)
const busy = (times: Times): number => 1 - times.idle / total(times)

/** NaN when no time has passed. */
function total(times: Times): number {
  const all = times.user + times.nice + times.sys + times.idle + times.irq
  return all > 0 ? all : NaN
}
