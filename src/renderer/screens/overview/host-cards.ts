import type { Series, SeriesName, Unit } from '../../../contract/index.ts'
import { peakOf } from '../../components/index.ts'
import { noFigure, quantityText } from '../../format/index.ts'
import type { HostSection } from '../../routing/index.ts'
import type { SampleColumns } from '../../state/sample-hub.ts'
import { combine, sumColumns } from './column-sums.ts'

/** How far back the sparklines of the cards reach. */
export const cardWindowMs = 10 * 60_000

/** One of the four big figures of a host. */
export interface HostCard {
  section: HostSection
  title: string
  /** NaN while nothing was measured. */
  value: number
  unit: Unit
  detail: string
  spark: SampleColumns & { fromMs: number; toMs: number; top: number }
  /** What the sparkline shows, with its peak. */
  sparkText: string
}

/** What the cards read samples from. */
export interface SampleReader {
  columns(seriesId: number): SampleColumns
  latest(seriesId: number): { atMs: number; value: number } | undefined
}

const wantedNames = new Set<string>([
  'cpu.busy',
  'load.1m',
  'load.5m',
  'load.15m',
  'memory.total',
  'memory.available',
  'swap.used',
  'filesystem.used',
  'filesystem.available',
  'disk.read',
  'disk.written',
  'network.received',
  'network.sent',
  'network.receive_drops',
  'network.send_drops',
] satisfies SeriesName[])

/** Interfaces and disks made of others: their traffic is counted there already. */
const stacked = new RegExp(
  `^(${[
    'lo',
    String.raw`(docker|podman|br|vmbr|lxcbr|lxdbr|incusbr|cni)\d*|br-.*|virbr.*`, // bridges
    String.raw`(bond|team|vlan)\d+|.*\.\d+`,
    String.raw`(tun|tap|wg|gre|gretap|sit|tunl|ip6tnl|ip6gre|erspan|tailscale)\d+`, // tunnels
    String.raw`(dm-|md)\d+`,
  ].join('|')})$`,
)

/** The series that the cards are made from. */
export function cardSeries(series: readonly Series[]): Series[] {
  const isReal = ({ labels }: Series) => !stacked.test(labels['interface'] ?? labels['device'] ?? '')
  return series.filter(
    (one) => wantedNames.has(one.name) && (one.name.startsWith('filesystem.') || isReal(one)),
  )
}

/** CPU, memory, disk and network of a host with `coreCount` cores, as of the newest samples. */
export function hostCards(series: readonly Series[], coreCount: number, reader: SampleReader): HostCard[] {
  const host = new HostReadings(cardSeries(series), reader)
  return [cpuCard(host, coreCount), memoryCard(host), diskCard(host), networkCard(host)]
}

function cpuCard(host: HostReadings, coreCount: number): HostCard {
  const busy = host.sum('cpu.busy')
  const loads = (['load.1m', 'load.5m', 'load.15m'] as const).map((name) => loadText(host.value(name)))
  const cores = coreCount === 1 ? '1 core' : `${coreCount} cores`
  return {
    section: 'cpu',
    title: 'CPU',
    value: host.value('cpu.busy'),
    unit: 'ratio',
    detail: `load ${loads.join(' ')} · ${cores}`,
    ...sparkOf(busy, 'ratio', 'busy', { least: 0.25, most: 1 }),
  }
}

function memoryCard(host: HostReadings): HostCard {
  const total = host.value('memory.total')
  const available = host.value('memory.available')
  const swap = host.value('swap.used')
  const used = combine(host.sum('memory.available'), (value) => 1 - value / total)
  const ofTotal = `${quantityText(available, 'bytes')} available of ${quantityText(total, 'bytes')}`
  return {
    section: 'memory',
    title: 'Memory',
    value: 1 - available / total,
    unit: 'ratio',
    detail: swap > 0 ? `${ofTotal} · swap ${quantityText(swap, 'bytes')}` : ofTotal,
    ...sparkOf(used, 'ratio', 'used', { least: 1, most: 1 }),
  }
}

/** The fullest filesystem; the line below it is the traffic of all disks, for fullness hardly moves. */
function diskCard(host: HostReadings): HostCard {
  const mounts = host.labelled('filesystem.used', 'mount').map(({ label, value }) => {
    const available = host.labelledValue('filesystem.available', 'mount', label)
    return { mount: label, available, share: value / (value + available) }
  })
  const fullest = mounts.filter(({ share }) => !Number.isNaN(share)).sort((a, b) => b.share - a.share)[0]
  const rate = host.value('disk.read') + host.value('disk.written')
  const free = fullest
    ? `${fullest.mount} · ${quantityText(fullest.available, 'bytes')} free`
    : 'no filesystem'
  return {
    section: 'disk',
    title: 'Disk',
    value: fullest?.share ?? Number.NaN,
    unit: 'ratio',
    detail: Number.isNaN(rate) ? free : `${free} · ${quantityText(rate, 'bytes_per_second')}`,
    ...sparkOf(
      sumColumns([host.sum('disk.read'), host.sum('disk.written')]),
      'bytes_per_second',
      'read + written',
      {
        least: 100_000,
      },
    ),
  }
}

function networkCard(host: HostReadings): HostCard {
  const received = host.value('network.received')
  const sent = host.value('network.sent')
  const drops = host.value('network.receive_drops') + host.value('network.send_drops')
  const traffic = sumColumns([host.sum('network.received'), host.sum('network.sent')])
  return {
    section: 'network',
    title: 'Network',
    value: received + sent,
    unit: 'bytes_per_second',
    detail: `↓ ${quantityText(received, 'bytes_per_second')} ↑ ${quantityText(sent, 'bytes_per_second')} · ${
      drops > 0 ? `${quantityText(drops, 'per_second')} dropped` : '0 drops'
    }`,
    ...sparkOf(traffic, 'bytes_per_second', 'received + sent', { least: 10_000 }),
  }
}

/** Always two decimals, as every other tool shows loads. */
const loadText = (load: number) => (Number.isNaN(load) ? noFigure : load.toFixed(2))

/** A sparkline up to just above its peak, but never so steep that noise on an idle host looks like a storm. */
function sparkOf(
  columns: SampleColumns,
  unit: Unit,
  what: string,
  scale: { least: number; most?: number },
): Pick<HostCard, 'spark' | 'sparkText'> {
  const toMs = columns.timesMs.at(-1) ?? 0
  const fromMs = toMs - cardWindowMs
  const peak = peakOf(columns.timesMs, columns.values, fromMs, toMs)
  const top = Math.min(scale.most ?? Infinity, Math.max(scale.least, Number.isNaN(peak) ? 0 : peak * 1.15))
  return {
    spark: { ...columns, fromMs, toMs, top },
    sparkText: `${what}, 10 min · peak ${quantityText(peak, unit)}`,
  }
}

/** A host's series by name, summed over their labels. */
class HostReadings {
  #byName: Map<string, Series[]>
  #reader: SampleReader

  constructor(series: readonly Series[], reader: SampleReader) {
    this.#byName = Map.groupBy(series, ({ name }) => name)
    this.#reader = reader
  }

  /** The newest value, summed over all of this name; NaN where nothing was measured. */
  value(name: SeriesName): number {
    const values = this.#of(name).flatMap(({ id }) => this.#reader.latest(id)?.value ?? [])
    return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0)
  }

  sum(name: SeriesName): SampleColumns {
    return sumColumns(this.#of(name).map(({ id }) => this.#reader.columns(id)))
  }

  labelled(name: SeriesName, label: string): { label: string; value: number }[] {
    return this.#of(name).map(({ id, labels }) => ({
      label: labels[label] ?? '',
      value: this.#reader.latest(id)?.value ?? Number.NaN,
    }))
  }

  labelledValue(name: SeriesName, label: string, value: string): number {
    return this.labelled(name, label).find((reading) => reading.label === value)?.value ?? Number.NaN
  }

  #of(name: SeriesName): Series[] {
    return this.#byName.get(name) ?? []
  }
}
