import type { Host, Series, SeriesName, Unit } from '../../../contract/index.ts'
import type { AxisBounds, LevelLine, SeriesStyle } from '../../charts/index.ts'

export type PanelSection = 'cpu' | 'memory' | 'disk' | 'network' | 'processes'

interface PanelSeries {
  seriesId: number
  style: SeriesStyle
}

/** One chart of the screen: what it shows and how. */
export interface Panel {
  id: string
  section: PanelSection
  title: string
  /** A few words on what the figures mean, or empty. */
  hint: string
  unit: Unit
  bounds: AxisBounds
  levels: LevelLine[]
  series: PanelSeries[]
}

/** Which of several devices the charts of a section show. */
export interface DeviceChoice {
  disk: string | undefined
  interface: string | undefined
}

/** Warning and critical of one limit, shares of the whole. */
export interface LimitPair {
  warning: number
  critical: number
}

interface Line {
  name: SeriesName
  label: string
}

const solid: readonly number[] = []
const dashes: readonly (readonly number[])[] = [solid, [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [1, 2]]
const share: AxisBounds = { leastMax: 1, fixedMax: 1 }

/** Charts of a host, section by section; what the host does not report is not there. */
export function panelsOf(
  host: Host,
  choice: DeviceChoice,
  limits: Readonly<Record<string, LimitPair>>,
): Panel[] {
  const find = seriesFinder(host.series)
  const { coreCount, memoryBytes } = host.facts
  const line = (lines: readonly Line[], labels: Record<string, string> = {}): PanelSeries[] =>
    lines
      .flatMap(({ name, label }) => {
        const series = find(name, labels)
        return series ? [{ name: label, seriesId: series.id }] : []
      })
      .map(({ name, seriesId }, index) => ({ seriesId, style: styleOf(name, index) }))
  const disk = { device: choice.disk ?? '' }
  const network = { interface: choice.interface ?? '' }

  const panels: Panel[] = [
    {
      id: 'cpu',
      section: 'cpu',
      title: 'CPU',
      hint: 'all cores together',
      unit: 'ratio',
      bounds: share,
      levels: limitLines(limits['cpu']),
      series: line([
        { name: 'cpu.busy', label: 'busy' },
        { name: 'cpu.iowait', label: 'I/O wait' },
        { name: 'cpu.steal', label: 'steal' },
      ]),
    },
    {
      id: 'load',
      section: 'cpu',
      title: 'Load',
      hint: 'tasks that run or wait',
      unit: 'count',
      bounds: { leastMax: 1 },
      levels: coreCount > 0 ? [{ value: coreCount, label: cores(coreCount), severity: 'info' }] : [],
      series: line([
        { name: 'load.1m', label: '1 min' },
        { name: 'load.5m', label: '5 min' },
        { name: 'load.15m', label: '15 min' },
      ]),
    },
    {
      id: 'pressure',
      section: 'cpu',
      title: 'Pressure',
      hint: 'share of time in which some task waited',
      unit: 'ratio',
      bounds: { leastMax: 0.1 },
      levels: [],
      series: line([
        { name: 'pressure.cpu.some', label: 'CPU' },
        { name: 'pressure.memory.some', label: 'memory' },
        { name: 'pressure.io.some', label: 'I/O' },
      ]),
    },
    {
      id: 'temperature',
      section: 'cpu',
      title: 'Temperature',
      hint: '',
      unit: 'celsius',
      bounds: { leastMax: 60 },
      levels: [],
      series: host.series
        .filter(({ name }) => name === 'temperature')
        .slice(0, dashes.length)
        .map(({ id, labels }, index) => ({
          seriesId: id,
          style: styleOf(labels['sensor'] ?? 'sensor', index),
        })),
    },
    {
      id: 'memory',
      section: 'memory',
      title: 'Memory and swap',
      hint: '',
      unit: 'bytes',
      bounds: { leastMax: memoryBytes },
      levels: memoryLines(memoryBytes, limits['memory']),
      series: line([
        { name: 'memory.used', label: 'used' },
        { name: 'memory.cached', label: 'cached' },
        { name: 'swap.used', label: 'swap used' },
      ]),
    },
    {
      id: 'paging',
      section: 'memory',
      title: 'Paging',
      hint: 'pages a second',
      unit: 'per_second',
      bounds: { leastMax: 10 },
      levels: [],
      series: line([
        { name: 'paging.major_faults', label: 'major faults' },
        { name: 'paging.swap_in', label: 'swapped in' },
        { name: 'paging.swap_out', label: 'swapped out' },
      ]),
    },
    {
      id: 'disk-throughput',
      section: 'disk',
      title: 'Disk throughput',
      hint: '',
      unit: 'bytes_per_second',
      bounds: { leastMax: 1e6 },
      levels: [],
      series: line(
        [
          { name: 'disk.read', label: 'read' },
          { name: 'disk.written', label: 'written' },
        ],
        disk,
      ),
    },
    {
      id: 'disk-operations',
      section: 'disk',
      title: 'Disk operations',
      hint: '',
      unit: 'per_second',
      bounds: { leastMax: 20 },
      levels: [],
      series: line(
        [
          { name: 'disk.reads', label: 'reads' },
          { name: 'disk.writes', label: 'writes' },
        ],
        disk,
      ),
    },
    {
      id: 'disk-busy',
      section: 'disk',
      title: 'Disk busy',
      hint: 'share of time with requests in flight',
      unit: 'ratio',
      bounds: share,
      levels: [],
      series: line([{ name: 'disk.busy', label: 'busy' }], disk),
    },
    {
      id: 'network-throughput',
      section: 'network',
      title: 'Network throughput',
      hint: '',
      unit: 'bytes_per_second',
      bounds: { leastMax: 1e5 },
      levels: [],
      series: line(
        [
          { name: 'network.received', label: 'received' },
          { name: 'network.sent', label: 'sent' },
        ],
        network,
      ),
    },
    {
      id: 'network-errors',
      section: 'network',
      title: 'Network errors and drops',
      hint: '',
      unit: 'per_second',
      bounds: { leastMax: 4 },
      levels: [],
      series: line(
        [
          { name: 'network.receive_errors', label: 'receive errors' },
          { name: 'network.send_errors', label: 'send errors' },
          { name: 'network.receive_drops', label: 'receive drops' },
          { name: 'network.send_drops', label: 'send drops' },
        ],
        network,
      ),
    },
    {
      id: 'sockets',
      section: 'network',
      title: 'Connections and sockets',
      hint: '',
      unit: 'count',
      bounds: { leastMax: 10 },
      levels: [],
      series: line([
        { name: 'tcp.established', label: 'established' },
        { name: 'sockets.tcp_time_wait', label: 'TIME_WAIT' },
        { name: 'sockets.used', label: 'sockets' },
      ]),
    },
    {
      id: 'processes',
      section: 'processes',
      title: 'Processes and threads',
      hint: '',
      unit: 'count',
      bounds: { leastMax: 50 },
      levels: [],
      series: line([
        { name: 'processes.count', label: 'processes' },
        { name: 'threads.count', label: 'threads' },
      ]),
    },
    {
      id: 'run-queue',
      section: 'processes',
      title: 'Running and blocked',
      hint: 'tasks on a CPU or waiting for one, and waiting for I/O',
      unit: 'count',
      bounds: { leastMax: 4 },
      levels: [],
      series: line([
        { name: 'processes.running', label: 'running' },
        { name: 'processes.blocked', label: 'blocked' },
      ]),
    },
  ]
  return panels.filter(({ series }) => series.length > 0)
}

/** Values of a label among the series of one name, in the order of the host. */
export function labelValues(series: readonly Series[], name: SeriesName, label: string): string[] {
  const values = series.flatMap((one) => (one.name === name ? [one.labels[label] ?? ''] : []))
  return [...new Set(values)].filter((value) => value !== '')
}

/** The device the address names, when there is one of that name; else the first that is not the loopback. */
export function chosenDevice(devices: readonly string[], asked: string | null): string | undefined {
  if (asked !== null && devices.includes(asked)) return asked
  return devices.find((name) => name !== 'lo' && !/^lo\d*$/.test(name)) ?? devices[0]
}

/** A function that finds a series by its name and some of its labels. */
export function seriesFinder(
  series: readonly Series[],
): (name: SeriesName, labels?: Readonly<Record<string, string>>) => Series | undefined {
  const byName = Map.groupBy(series, ({ name }) => name)
  return (name, labels = {}) =>
    byName
      .get(name)
      ?.find((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))
}

const cores = (count: number) => (count === 1 ? '1 core' : `${count} cores`)

function limitLines(limit: LimitPair | undefined, whole = 1): LevelLine[] {
  if (!limit) return []
  return [
    { value: limit.warning * whole, label: 'warning', severity: 'warning' },
    { value: limit.critical * whole, label: 'critical', severity: 'critical' },
  ]
}

function memoryLines(memoryBytes: number, limit: LimitPair | undefined): LevelLine[] {
  if (!(memoryBytes > 0)) return []
  return [{ value: memoryBytes, label: 'installed', severity: 'info' }, ...limitLines(limit, memoryBytes)]
}

function styleOf(label: string, index: number): SeriesStyle {
  return { label, tone: index, dash: dashes[index % dashes.length] ?? solid, isFilled: index === 0 }
}
