import { describe, expect, it } from 'vitest'
import type { Host, Series } from '../../../../src/contract/index.ts'
import { seriesNames, type SeriesName } from '../../../../src/contract/index.ts'
import { chosenDevice, labelValues, panelsOf } from '../../../../src/renderer/screens/host/panels.ts'

const series = (name: SeriesName, labels: Record<string, string> = {}): Omit<Series, 'id'> => ({
  name,
  labels,
  unit: seriesNames[name],
})

const host = (...list: Omit<Series, 'id'>[]): Host => ({
  id: 'local',
  name: 'web-1',
  environment: 'production',
  catalogVersion: 1,
  series: list.map((one, id) => ({ ...one, id })),
  facts: {
    hostname: 'web-1',
    platform: 'linux',
    osName: 'Debian',
    kernel: '6',
    arch: 'x64',
    cpuModel: 'EPYC',
    coreCount: 4,
    memoryBytes: 8 * 1024 ** 3,
    bootedAtMs: 1,
  },
})

const none = { disk: undefined, interface: undefined }

describe('the charts of a host', () => {
  it('are only those the host reports for', () => {
    const panels = panelsOf(host(series('cpu.busy'), series('load.1m')), none, {})
    expect(panels.map(({ id }) => id)).toEqual(['cpu', 'load'])
    expect(panels[0]?.series.map(({ seriesId }) => seriesId)).toEqual([0])
  })

  it('compare load with the number of cores', () => {
    const [load] = panelsOf(host(series('load.1m')), none, {})
    expect(load?.levels).toEqual([{ value: 4, label: '4 cores', severity: 'info' }])
  })

  it('show the limits of the configuration, for memory as bytes of what is installed', () => {
    const limits = { memory: { warning: 0.5, critical: 0.75 } }
    const [memory] = panelsOf(host(series('memory.used')), none, limits)
    expect(memory?.levels.map(({ value }) => value / 1024 ** 3)).toEqual([8, 4, 6])
  })

  it('show the chosen device and no other', () => {
    const list = ['sda', 'sdb'].map((device) => series('disk.read', { device }))
    const [throughput] = panelsOf(host(...list), { ...none, disk: 'sdb' }, {})
    expect(throughput?.series.map(({ seriesId }) => seriesId)).toEqual([1])
  })

  it('tell series apart without colour', () => {
    const panels = panelsOf(host(series('load.1m'), series('load.5m'), series('load.15m')), none, {})
    const dashes = panels[0]?.series.map(({ style }) => style.dash.join()) ?? []
    expect(new Set(dashes).size).toBe(3)
  })
})

describe('devices', () => {
  it('are each named once, in the order of the host', () => {
    const list = [
      series('network.sent', { interface: 'lo' }),
      series('network.received', { interface: 'lo' }),
      series('network.received', { interface: 'eth0' }),
    ]
    expect(labelValues(host(...list).series, 'network.received', 'interface')).toEqual(['lo', 'eth0'])
  })

  it('are chosen by the address, else the first that is not the loopback', () => {
    expect(chosenDevice(['lo', 'eth0', 'eth1'], 'eth1')).toBe('eth1')
    expect(chosenDevice(['lo', 'eth0', 'eth1'], 'gone')).toBe('eth0')
    expect(chosenDevice(['lo'], null)).toBe('lo')
    expect(chosenDevice([], null)).toBeUndefined()
  })
})
