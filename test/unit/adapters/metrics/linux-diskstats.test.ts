import { describe, expect, it } from 'vitest'
import { DiskstatsSection } from '../../../../src/adapters/metrics/linux/diskstats.ts'
import { SectionRounds } from './section-rounds.ts'

const rounds = () => new SectionRounds((slots) => new DiskstatsSection(slots))
const idle = '0 0 0 0 0 0 0 0 0 0 0'

describe('/proc/diskstats', () => {
  it('gives throughput, operations, busy share, mean queue and mean wait', () => {
    const disk = rounds()
    disk.round('254 0 vda 100 5 2000 400 50 7 800 600 0 1000 5000 0 0 0 0 1 2\n')
    const values = disk.round('254 0 vda 120 5 2400 440 60 7 1000 660 3 1500 7000 0 0 0 0 1 2\n', 2)
    expect(values).toEqual({
      'disk.read{vda}': 200 * 512,
      'disk.written{vda}': 100 * 512,
      'disk.reads{vda}': 10,
      'disk.writes{vda}': 5,
      'disk.busy{vda}': 0.25,
      'disk.queue{vda}': 1,
      'disk.read_wait{vda}': 0.002,
      'disk.write_wait{vda}': 0.006,
    })
  })

  it('says a wait of 0 when no request was finished, and never more than fully busy', () => {
    const disk = rounds()
    disk.round(`8 0 sda ${idle}\n`)
    const values = disk.round('8 0 sda 0 0 0 0 0 0 0 0 9 1013 9000\n')
    expect(values['disk.read_wait{sda}']).toBe(0)
    expect(values['disk.busy{sda}']).toBe(1)
    expect(values['disk.queue{sda}']).toBe(9)
  })

  it('keeps whole disks, dm and md, and leaves out partitions, loops, memory discs and hidden paths', () => {
    const names =
      'loop0 ram0 zram0 sr0 sda sda1 sda12 sdab sdab1 nvme0n1 nvme0n1p1 nvme1c1n1 mmcblk0 mmcblk0p2 dm-0 md127 md127p1 xvdb1 vda'
    const values = rounds().round(
      names
        .split(' ')
        .map((name) => ` 8 0 ${name} ${idle}\n`)
        .join(''),
    )
    const kept = Object.keys(values).flatMap((key) => /^disk\.read\{(.*)\}$/.exec(key)?.[1] ?? [])
    expect(kept).toEqual(['sda', 'sdab', 'nvme0n1', 'mmcblk0', 'dm-0', 'md127', 'xvdb1', 'vda'])
  })

  it('follows the millisecond counters when they wrap at 32 bits', () => {
    const disk = rounds()
    disk.round(`8 0 sda 0 0 0 0 0 0 0 0 0 ${2 ** 32 - 400} ${2 ** 32 - 1000}\n`)
    const values = disk.round('8 0 sda 0 0 0 0 0 0 0 0 0 100 1000\n')
    expect(values['disk.busy{sda}']).toBe(0.5)
    expect(values['disk.queue{sda}']).toBe(2)
  })

  it('appends a disk that is plugged in and makes one that is pulled unknown', () => {
    const disk = rounds()
    disk.round(`8 0 sda ${idle}\n`)
    disk.round(`8 0 sda ${idle}\n8 16 sdb ${idle}\n`)
    const values = disk.round(`8 16 sdb ${idle}\n`)
    expect(values['disk.read{sda}']).toBeNaN()
    expect(values['disk.read_wait{sda}']).toBeNaN()
    expect(values['disk.read{sdb}']).toBe(0)
  })

  it('takes nothing from a line that is cut short', () => {
    const disk = rounds()
    disk.round(`8 0 sda ${idle}\n`)
    expect(disk.round('8 0 sda 1 2 3 4\n')['disk.read{sda}']).toBeNaN()
  })

  it('leaves out the partitions of what it leaves out', () => {
    const values = rounds().round(
      ['loop0', 'loop0p1', 'nbd0', 'nbd0p1', 'vda'].map((name) => ` 8 0 ${name} ${idle}\n`).join(''),
    )
    expect([...new Set(Object.keys(values).map((name) => /\{(.*)\}/.exec(name)?.[1]))]).toEqual(['vda'])
  })
})
