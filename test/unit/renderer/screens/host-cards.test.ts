import { describe, expect, it } from 'vitest'
import { seriesNames, type Series, type SeriesName } from '../../../../src/contract/index.ts'
import { sumColumns } from '../../../../src/renderer/screens/overview/column-sums.ts'
import { cardSeries, hostCards } from '../../../../src/renderer/screens/overview/host-cards.ts'

const gib = 1024 ** 3
const startMs = 1_000_000

interface Given {
  name: SeriesName
  labels?: Record<string, string>
  values: number[]
}

/** The cards of a host with one sample a second of these series. */
function cards(given: Given[], coreCount = 4) {
  const series = given.map(({ name, labels = {} }, id): Series => ({
    id,
    name,
    labels,
    unit: seriesNames[name],
  }))
  const columnsOf = (id: number) => {
    const values = Float64Array.from(given[id]?.values ?? [])
    return { values, timesMs: values.map((_, at) => startMs + at * 1000) }
  }
  const all = hostCards(series, coreCount, {
    columns: columnsOf,
    latest: (id) => {
      const { values, timesMs } = columnsOf(id)
      const at = values.findLastIndex((value) => !Number.isNaN(value))
      return at < 0 ? undefined : { value: values[at] ?? 0, atMs: timesMs[at] ?? 0 }
    },
  })
  const card = (section: string) => {
    const found = all.find((one) => one.section === section)
    if (!found) throw new Error(`no card ${section}`)
    return {
      ...found,
      detail: found.detail.replaceAll('\u00a0', ' '),
      sparkText: found.sparkText.replaceAll('\u00a0', ' '),
    }
  }
  return { cpu: card('cpu'), memory: card('memory'), disk: card('disk'), network: card('network') }
}

describe('the cards of a host', () => {
  it('show CPU with loads, cores and its peak', () => {
    const { cpu } = cards([
      { name: 'cpu.busy', values: [0.2, 0.83, 0.41] },
      { name: 'load.1m', values: [1.5] },
      { name: 'load.5m', values: [1] },
      { name: 'load.15m', values: [0.75] },
    ])
    expect(cpu.value).toBe(0.41)
    expect(cpu.detail).toBe('load 1.50 1.00 0.75 · 4 cores')
    expect(cpu.sparkText).toBe('busy, 10 min · peak 83.0%')
  })

  it('count memory by what is available, and name swap only when it is used', () => {
    const memory: Given[] = [
      { name: 'memory.total', values: [16 * gib] },
      { name: 'memory.available', values: [4 * gib] },
    ]
    expect(cards([...memory, { name: 'swap.used', values: [0] }]).memory).toMatchObject({
      value: 0.75,
      detail: '4.00 GiB available of 16.0 GiB',
    })
    expect(cards([...memory, { name: 'swap.used', values: [gib] }]).memory.detail).toBe(
      '4.00 GiB available of 16.0 GiB · swap 1.00 GiB',
    )
  })

  it('show the fullest filesystem, where blocks kept for root count as neither', () => {
    const { disk } = cards([
      { name: 'filesystem.used', labels: { mount: '/', device: 'dm-0' }, values: [50 * gib] },
      { name: 'filesystem.available', labels: { mount: '/', device: 'dm-0' }, values: [50 * gib] },
      { name: 'filesystem.used', labels: { mount: '/data', device: 'sdb1' }, values: [90 * gib] },
      { name: 'filesystem.available', labels: { mount: '/data', device: 'sdb1' }, values: [10 * gib] },
      { name: 'disk.read', labels: { device: 'sda' }, values: [1_000_000] },
      { name: 'disk.written', labels: { device: 'sda' }, values: [500_000] },
      { name: 'disk.written', labels: { device: 'dm-0' }, values: [500_000] },
    ])
    expect(disk.value).toBeCloseTo(0.9)
    expect(disk.detail).toBe('/data · 10.0 GiB free · 1.50 MB/s')
  })

  it('sum the traffic of real interfaces, and tell of drops', () => {
    const network = (drops: number): Given[] => [
      { name: 'network.received', labels: { interface: 'lo' }, values: [9e9] },
      { name: 'network.received', labels: { interface: 'eth0' }, values: [1000, 3000] },
      { name: 'network.sent', labels: { interface: 'eth0' }, values: [500, 1000] },
      ...['docker0', 'br-1a2b', 'vmbr0', 'lxcbr0', 'eth0.7', 'tap0', 'gre1', 'wg0'].map((name): Given => ({
        name: 'network.received',
        labels: { interface: name },
        values: [9e9],
      })),
      { name: 'network.receive_drops', labels: { interface: 'eth0' }, values: [drops] },
      { name: 'network.send_drops', labels: { interface: 'eth0' }, values: [0] },
    ]
    expect(cards(network(0)).network).toMatchObject({
      value: 4000,
      detail: '↓ 3.00 kB/s ↑ 1.00 kB/s · 0 drops',
      sparkText: 'received + sent, 10 min · peak 4.00 kB/s',
    })
    expect(cards(network(2)).network.detail).toContain('2 /s dropped')
  })

  it('show dashes where nothing was measured', () => {
    const { cpu, memory, disk, network } = cards([])
    for (const card of [cpu, memory, disk, network]) expect(card.value).toBeNaN()
    expect(cpu.detail).toBe('load – – – · 4 cores')
    expect(disk.detail).toBe('no filesystem')
    expect(network.sparkText).toBe('received + sent, 10 min · peak –')
  })

  it('ask only for the series they show', () => {
    const series: Series[] = [
      { id: 1, name: 'cpu.busy', labels: {}, unit: 'ratio' },
      { id: 2, name: 'cpu.core.busy', labels: { core: '0' }, unit: 'ratio' },
      { id: 3, name: 'network.sent', labels: { interface: 'lo' }, unit: 'bytes_per_second' },
    ]
    expect(cardSeries(series).map(({ id }) => id)).toEqual([1])
  })
})

describe('a sum of columns', () => {
  const columns = (times: number[], values: number[]) => ({
    timesMs: Float64Array.from(times),
    values: Float64Array.from(values),
  })

  it('is made at each time at which any of them has a sample', () => {
    const { timesMs, values } = sumColumns([
      columns([1, 2, 4], [10, 20, 40]),
      columns([2, 3, 4], [1, 2, Number.NaN]),
    ])
    expect([...timesMs]).toEqual([1, 2, 3, 4])
    expect([...values]).toEqual([10, 21, 2, 40])
  })
})
