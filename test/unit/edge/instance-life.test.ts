import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  coresUsed,
  linuxRow,
  membersOf,
  type InstanceUsage,
  type ProcessRow,
} from '../../../src/edge/supervisor/process-table.ts'
import { isHung, repeated } from '../../../src/edge/supervisor/restart-policy.ts'

const row = (pid: number, parentPid: number, group: number): ProcessRow => ({
  pid,
  parentPid,
  group,
  start: '1',
  memoryBytes: 1,
  cpuMs: 0,
})

describe('the processes of an instance', () => {
  it('are its group, all descendants, and what carries its mark, each once', () => {
    const rows = [
      row(1, 0, 1),
      row(10, 1, 10),
      row(11, 10, 10),
      row(12, 11, 12),
      row(13, 12, 13),
      row(14, 1, 14),
      row(20, 1, 20),
    ]
    const members = membersOf(rows, 10, ({ pid }) => pid === 14 || pid === 12)
    expect(members.map(({ pid }) => pid).sort()).toEqual([10, 11, 12, 13, 14])
  })

  it('never include a process outside of its tree, however processes are related', () => {
    const pids = fc.integer({ min: 2, max: 30 })
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(pids, pids), { selector: ([pid]) => pid }), (pairs) => {
        const rows = pairs.map(([pid, parent]) => row(pid, parent, pid))
        const members = membersOf(rows, 2, () => false)
        for (const { pid, parentPid } of members)
          expect(pid === 2 || parentPid === 2 || members.some((each) => each.pid === parentPid)).toBe(true)
        expect(new Set(members).size).toBe(members.length)
      }),
    )
  })

  it('are read from what Linux says, whatever their names; a zombie is none', () => {
    const stat = (name: string, state: string) =>
      `77 (${name}) ${state} 5 6 7 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 1 0 9000 1000 300 184`
    expect(linuxRow(stat('a) R (b', 'S'), 4096)).toEqual({
      pid: 77,
      parentPid: 5,
      group: 6,
      start: '9000',
      memoryBytes: 300 * 4096,
      cpuMs: 2000,
    })
    expect(linuxRow(stat('a', 'Z'), 4096)).toBeNull()
    expect(linuxRow('', 4096)).toBeNull()
  })

  it('use cores by what each has used since the last look, new ones with all of theirs', () => {
    const usage = (atMs: number, cpuMs: [string, number][]): InstanceUsage => ({
      atMs,
      memoryBytes: 0,
      cpuMs: new Map(cpuMs),
    })
    const before = usage(0, [
      ['1.a', 500],
      ['2.a', 9000],
    ])
    const now = usage(2000, [
      ['1.a', 1500],
      ['3.a', 2000],
    ])
    expect(coresUsed(before, now)).toBe(1.5)
    expect(coresUsed(now, now)).toBeNull()
  })
})

describe('an instance that fails its health check', () => {
  it('is hung after the configured time, while it starts after five times as long, and never when that is off', () => {
    expect(isHung('unhealthy', 999, { restartAfterMs: 1000 })).toBe(false)
    expect(isHung('unhealthy', 1000, { restartAfterMs: 1000 })).toBe(true)
    expect(isHung('starting', 4999, { restartAfterMs: 1000 })).toBe(false)
    expect(isHung('starting', 5000, { restartAfterMs: 1000 })).toBe(true)
    expect(isHung('unhealthy', Infinity, { restartAfterMs: null })).toBe(false)
  })

  it('says how often in a row the same has happened', () => {
    expect(repeated('over its memory limit of 200 MB', 1)).toBe('over its memory limit of 200 MB')
    expect(repeated('over its memory limit of 200 MB', 5)).toBe(
      'over its memory limit of 200 MB 5 times in a row',
    )
  })
})
