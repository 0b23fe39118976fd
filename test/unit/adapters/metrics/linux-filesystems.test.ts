import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Filesystems, type Space } from '../../../../src/adapters/metrics/linux/filesystems.ts'
import { SlotGroup, SeriesSlots } from '../../../../src/adapters/metrics/slots.ts'
import { VirtualClock } from '../../../support/clock.ts'
import { nameOf } from './section-rounds.ts'

const space: Space = { bsize: 4096, blocks: 1000, bfree: 400, bavail: 300, files: 50, ffree: 20 }
const never = () => new Promise<Space>(() => undefined)

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mounts-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function mounted(...mounts: [path: string, type: string][]): string {
  const path = join(folder, 'mountinfo')
  writeFileSync(
    path,
    mounts.map(([mount, type], i) => `${i} 1 0:${i} / ${mount} rw - ${type} dev${i} rw\n`).join(''),
  )
  return path
}

/** Runs the clock until the gathering is done and tells which mounts answered. */
async function answersOf(filesystems: Filesystems, clock: VirtualClock): Promise<string[]> {
  let answered: string[] | undefined
  void filesystems.gather().then((answers) => (answered = answers.map(({ mount }) => mount.mount)))
  while (answered === undefined) await clock.advance(500)
  return answered
}

describe('filesystems', () => {
  it('tells size, use and inodes, the reserve of root not being available', () => {
    const slots = new SeriesSlots()
    const group = new SlotGroup(slots)
    const filesystems = new Filesystems(new VirtualClock(), '', new AbortController().signal)
    const mount = { mount: '/', device: '/dev/vda', type: 'ext4', isRemote: false }
    group.begin(NaN)
    filesystems.apply(group, [
      { mount, space },
      { mount: { ...mount, mount: '/btrfs' }, space: { ...space, files: 0, ffree: 0 } },
    ])
    group.end()
    const values = Object.fromEntries(slots.series.map((key, slot) => [nameOf(key), slots.values[slot]]))
    expect(values).toEqual({
      'filesystem.size{/}{/dev/vda}': 4_096_000,
      'filesystem.used{/}{/dev/vda}': 2_457_600,
      'filesystem.available{/}{/dev/vda}': 1_228_800,
      'filesystem.inodes_total{/}{/dev/vda}': 50,
      'filesystem.inodes_used{/}{/dev/vda}': 30,
      'filesystem.size{/btrfs}{/dev/vda}': 4_096_000,
      'filesystem.used{/btrfs}{/dev/vda}': 2_457_600,
      'filesystem.available{/btrfs}{/dev/vda}': 1_228_800,
    })
  })

  it('counts blocks in fragments where those are smaller than the preferred block', () => {
    const slots = new SeriesSlots()
    const group = new SlotGroup(slots)
    const filesystems = new Filesystems(new VirtualClock(), '', new AbortController().signal)
    const mount = { mount: '/mnt', device: 'share', type: 'virtiofs', isRemote: false }
    group.begin(NaN)
    filesystems.apply(group, [
      {
        mount,
        space: { bsize: 1_048_576, frsize: 4096, blocks: 1000, bfree: 400, bavail: 300, files: 0, ffree: 0 },
      },
      {
        mount: { ...mount, mount: '/odd' },
        space: { bsize: 512, frsize: 0, blocks: 10, bfree: 4, bavail: 3, files: 0, ffree: 0 },
      },
    ])
    group.end()
    const values = Object.fromEntries(slots.series.map((key, slot) => [nameOf(key), slots.values[slot]]))
    expect(values).toMatchObject({
      'filesystem.size{/mnt}{share}': 4_096_000,
      'filesystem.used{/mnt}{share}': 2_457_600,
      'filesystem.available{/mnt}{share}': 1_228_800,
      'filesystem.size{/odd}{share}': 5120,
    })
  })

  it('answers for the others when a server hangs, and does not ask the hung one again until it answers', async () => {
    const clock = new VirtualClock()
    let answerLate: (space: Space) => void = () => undefined
    let askedHung = 0
    const ask = (path: string) => {
      if (path !== '/nfs') return Promise.resolve(space)
      askedHung++
      return askedHung === 1
        ? new Promise<Space>((resolve) => (answerLate = resolve))
        : Promise.resolve(space)
    }
    const filesystems = new Filesystems(
      clock,
      mounted(['/nfs', 'nfs4'], ['/', 'ext4']),
      new AbortController().signal,
      ask,
    )
    expect(await answersOf(filesystems, clock)).toEqual(['/'])
    expect(await answersOf(filesystems, clock)).toEqual(['/'])
    expect(askedHung).toBe(1)
    answerLate(space)
    expect(await answersOf(filesystems, clock)).toEqual(['/', '/nfs'])
    expect(clock.timerCount).toBe(0)
  })

  it('leaves at most two calls hanging, however many servers are away', async () => {
    const clock = new VirtualClock()
    const asked: string[] = []
    const filesystems = new Filesystems(
      clock,
      mounted(['/a', 'nfs'], ['/b', 'nfs'], ['/c', 'cifs'], ['/d', 'fuse.sshfs']),
      new AbortController().signal,
      (path) => {
        asked.push(path)
        return never()
      },
    )
    expect(await answersOf(filesystems, clock)).toEqual([])
    expect(await answersOf(filesystems, clock)).toEqual([])
    expect(asked).toEqual(['/a', '/b'])
  })

  it('stops waiting when it is told to', async () => {
    const clock = new VirtualClock()
    const abort = new AbortController()
    const path = mounted(['/nfs', 'nfs'])
    const asked = Promise.withResolvers<void>()
    const filesystems = new Filesystems(clock, path, abort.signal, () => {
      asked.resolve()
      return never()
    })
    const gathering = filesystems.gather()
    await asked.promise
    abort.abort()
    expect(await gathering).toEqual([])
    expect(clock.timerCount).toBe(0)
  })

  it('skips a mount that may not be asked and reads no mounts where there is no table', async () => {
    const clock = new VirtualClock()
    const signal = new AbortController().signal
    const forbidden = () => Promise.reject(new Error('EACCES'))
    expect(
      await answersOf(new Filesystems(clock, mounted(['/a', 'ext4']), signal, forbidden), clock),
    ).toEqual([])
    expect(await answersOf(new Filesystems(clock, join(folder, 'absent'), signal), clock)).toEqual([])
  })
})
