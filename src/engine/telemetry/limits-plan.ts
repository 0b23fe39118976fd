import { phraseText, type LimitState, type SeriesName } from '../../contract/index.ts'
import { decideLimit, type LimitKind, type Limits, type LimitSubject, type Measured } from './limits.ts'
import type { SeriesKey } from './ports.ts'
import type { SampleRing } from './ring.ts'
import { seriesText } from './wording.ts'

/** How the compared value is made from values of one row; numbers are slots. */
type Formula =
  | { kind: 'value'; of: number }
  /** of / other */
  | { kind: 'share'; of: number; other: number }
  /** 1 - of / other */
  | { kind: 'shareLeft'; of: number; other: number }
  /** of / (of + other): of filesystems, where blocks kept for root count neither as used nor as available. */
  | { kind: 'shareOfSum'; of: number; other: number }
  /** of / (of + other), as if there were at least 1,000 packets a second: one error on an idle link is no storm. */
  | { kind: 'shareOfTraffic'; of: number; other: number }

interface Rule {
  limit: LimitKind
  formula: Formula['kind']
  /** The series with the same labels that the formula needs beside its own. */
  other?: SeriesName
  /** The label that tells one such limit from its siblings. */
  label?: string
}

const rules: Partial<Record<SeriesName, Rule>> = {
  'cpu.busy': { limit: 'cpu', formula: 'value' },
  'cpu.iowait': { limit: 'iowait', formula: 'value' },
  'cpu.steal': { limit: 'steal', formula: 'value' },
  'pressure.cpu.some': { limit: 'cpuPressure', formula: 'value' },
  'pressure.memory.some': { limit: 'memoryPressure', formula: 'value' },
  'pressure.io.some': { limit: 'ioPressure', formula: 'value' },
  'memory.available': { limit: 'memory', formula: 'shareLeft', other: 'memory.total' },
  'swap.used': { limit: 'swap', formula: 'share', other: 'swap.total' },
  'filesystem.used': { limit: 'disk', formula: 'shareOfSum', other: 'filesystem.available', label: 'mount' },
  'filesystem.inodes_used': {
    limit: 'inodes',
    formula: 'share',
    other: 'filesystem.inodes_total',
    label: 'mount',
  },
  temperature: { limit: 'temperature', formula: 'value', label: 'sensor' },
  'network.receive_errors': {
    limit: 'networkErrors',
    formula: 'shareOfTraffic',
    other: 'network.packets_received',
    label: 'interface',
  },
  'network.send_errors': {
    limit: 'networkErrors',
    formula: 'shareOfTraffic',
    other: 'network.packets_sent',
    label: 'interface',
  },
  'network.receive_drops': {
    limit: 'networkDrops',
    formula: 'shareOfTraffic',
    other: 'network.packets_received',
    label: 'interface',
  },
  'network.send_drops': {
    limit: 'networkDrops',
    formula: 'shareOfTraffic',
    other: 'network.packets_sent',
    label: 'interface',
  },
}
const idleTraffic = 1000

/** One limit on one thing of a host: what it is on, and which slots it is made from. */
export interface LimitSource {
  on: LimitSubject
  formula: Formula
}

/**
 * Which limits stand on the series of a catalogue. Of several mounts of one block device only the one with the
 * shortest path is watched: they fill together, and one full disk is one problem.
 */
export function planLimits(series: readonly SeriesKey[]): LimitSource[] {
  const slots = new Map(series.map((key, slot) => [seriesText(key), slot]))
  const hidden = mountsBehindOthers(series)
  return series.flatMap((key, slot): LimitSource[] => {
    const rule = rules[key.name as SeriesName]
    if (!rule) return []
    const subject = rule.label === undefined ? '' : (key.labels[rule.label] ?? '')
    if (rule.label === 'mount' && hidden.has(subject)) return []
    const on: LimitSubject = {
      kind: rule.limit,
      subject: phraseText(subject),
      series: seriesText(key),
      unit: rule.limit === 'temperature' ? 'celsius' : 'ratio',
    }
    if (rule.formula === 'value') return [{ on, formula: { kind: 'value', of: slot } }]
    const other = rule.other && slots.get(seriesText({ ...key, name: rule.other }))
    return other === undefined ? [] : [{ on, formula: { kind: rule.formula, of: slot, other } }]
  })
}

/** The compared value in the row `back` rows before the newest; NaN where it cannot be made. */
export function valueOf(ring: SampleRing, formula: Formula, back: number): number {
  const value = ring.value(formula.of, back)
  if (formula.kind === 'value') return value
  const other = ring.value(formula.other, back)
  switch (formula.kind) {
    case 'share':
      return share(value, other)
    case 'shareLeft':
      return 1 - share(value, other)
    case 'shareOfSum':
      return share(value, value + other)
    case 'shareOfTraffic':
      return share(value, value + Math.max(other, idleTraffic))
  }
}

/** The mean over the newest `holdMs` of the ring's own time; each number stands for one interval. */
function measure(ring: SampleRing, formula: Formula, holdMs: number, intervalMs: number): Measured {
  const rowCount = Math.max(1, ring.countSince(holdMs))
  let sum = 0
  let count = 0
  for (let back = 0; back < rowCount; back++) {
    const value = valueOf(ring, formula, back)
    if (!Number.isFinite(value)) continue
    sum += value
    count += 1
  }
  return { mean: count === 0 ? NaN : sum / count, coveredMs: count * intervalMs }
}

/** The next states of all limits of a host, in the order of `sources`; `previous` may be of an older plan. */
export function decideLimits(
  previous: readonly LimitState[],
  sources: readonly LimitSource[],
  ring: SampleRing,
  limits: Limits,
  intervalMs: number,
): LimitState[] {
  return sources.map(({ on, formula }, i) => {
    const isOnSame = (state: LimitState | undefined) => state?.kind === on.kind && state.series === on.series
    const before = isOnSame(previous[i]) ? previous[i] : previous.find(isOnSame)
    const limit = limits[on.kind]
    return decideLimit(before, on, measure(ring, formula, limit.holdMs, intervalMs), limit, ring.timeMs(0))
  })
}

/** 0 of 0 is unknown: no swap, no packets. */
const share = (part: number, whole: number): number => (whole > 0 ? part / whole : NaN)

function mountsBehindOthers(series: readonly SeriesKey[]): Set<string> {
  const hidden = new Set<string>()
  const shortest = new Map<string, string>()
  for (const { name, labels } of series) {
    const { mount = '', device = '' } = labels
    if (name !== 'filesystem.used' || !device.startsWith('/')) continue
    const known = shortest.get(device)
    if (known === undefined) shortest.set(device, mount)
    else if (mount.length < known.length) {
      shortest.set(device, mount)
      hidden.add(known)
    } else hidden.add(mount)
  }
  return hidden
}
