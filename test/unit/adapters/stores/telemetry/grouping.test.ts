import { describe, expect, it } from 'vitest'
import {
  assignGroups,
  labelText,
  seriesPerGroup,
} from '../../../../../src/adapters/stores/telemetry/grouping.ts'
import type { SeriesKey } from '../../../../../src/engine/telemetry/index.ts'

const key = (name: string, labels: Record<string, string> = {}): SeriesKey => ({
  name,
  labels,
  unit: 'count',
})

describe('the grouping of series', () => {
  it('puts what charts show together into one group, however the source lists it', () => {
    const interfaces = ['eth0', 'eth1', 'lo']
    const names = Array.from({ length: seriesPerGroup / 2 }, (_, i) => `part${i}`)
    const nameMajor = names.flatMap((name) => interfaces.map((i) => key(`network.${name}`, { interface: i })))
    const groups = assignGroups([], nameMajor)
    const groupsOf = (name: string) =>
      new Set(groups.filter((_, i) => nameMajor[i]?.labels['interface'] === name))
    expect(groupsOf('eth0')).toEqual(new Set([0]))
    expect(groupsOf('eth1')).toEqual(new Set([0]))
    expect(groupsOf('lo')).toEqual(new Set([1]))
  })

  it('never overfills a group', () => {
    const groups = assignGroups(
      [12, 5],
      Array.from({ length: 100 }, (_, i) => key(`a${i % 7}.x`, { i: `${i}` })),
    )
    const sizes = new Map<number, number>([[1, 5]])
    for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1)
    expect(Math.max(...sizes.values())).toBe(seriesPerGroup)
    expect(Math.min(...groups)).toBe(1)
    expect([...sizes.values()].filter((size) => size < seriesPerGroup).length).toBeLessThanOrEqual(1)
  })

  it('starts a new group where the last one may not be shared', () => {
    expect(assignGroups([seriesPerGroup, 0], [key('a')])).toEqual([1])
    expect(assignGroups([3, 0], [key('a')])).toEqual([1])
    expect(assignGroups([3], [key('a')])).toEqual([0])
  })

  it('knows labels by what they say, not by their order', () => {
    expect(labelText({ b: '2', a: '1' })).toBe(labelText({ a: '1', b: '2' }))
    expect(labelText({ a: '1","b', c: '' })).not.toBe(labelText({ a: '1', b: '', c: '' }))
  })
})
