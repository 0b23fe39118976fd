import { describe, expect, it } from 'vitest'
import { MeminfoSection } from '../../../../src/adapters/metrics/linux/meminfo.ts'
import { VmstatSection } from '../../../../src/adapters/metrics/linux/vmstat.ts'
import { SectionRounds } from './section-rounds.ts'

const meminfo = (text: string) => new SectionRounds((slots) => new MeminfoSection(slots)).round(text)

describe('/proc/meminfo', () => {
  it('gives bytes, and used as what is not available', () => {
    const values = meminfo(
      'MemTotal:       24684092 kB\nMemFree:        24263800 kB\nMemAvailable:   24314312 kB\nBuffers:             728 kB\n' +
        'Cached:           119924 kB\nActive(anon):       1544 kB\nActive:            19520 kB\nSwapTotal:       2048 kB\n' +
        'SwapFree:            48 kB\nDirty:              1076 kB\nHugePages_Total:       0\n',
    )
    expect(values).toMatchObject({
      'memory.total': 24684092 * 1024,
      'memory.available': 24314312 * 1024,
      'memory.used': (24684092 - 24314312) * 1024,
      'memory.cached': 119924 * 1024,
      'memory.active': 19520 * 1024,
      'memory.dirty': 1076 * 1024,
      'swap.total': 2048 * 1024,
      'swap.used': 2000 * 1024,
    })
  })

  it('works out what is available where the kernel does not say it', () => {
    const values = meminfo(
      'MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 300 kB\nShmem: 20 kB\n',
    )
    expect(values['memory.available']).toBe(430 * 1024)
    expect(values['memory.used']).toBe(570 * 1024)
  })

  it('has only the series that a container tells', () => {
    expect(Object.keys(meminfo('MemTotal: 1000 kB\n'))).toEqual(['memory.total'])
    expect(meminfo('')).toEqual({})
    expect(meminfo('MemTotal: -5 kB\nMemFree: x kB\n')).toEqual({})
  })
})

describe('/proc/vmstat', () => {
  it('counts paging a second, blocks as bytes', () => {
    const vmstat = new SectionRounds((slots) => new VmstatSection(slots))
    vmstat.round('pgpgin 100\npgpgout 0\npswpin 5\npgfault 1000\npgmajfault 10\noom_kill 0\npgfault_x 9\n')
    const values = vmstat.round(
      'pgpgin 300\npgpgout 10\npswpin 5\npgfault 3000\npgmajfault 30\noom_kill 1\n',
      10,
    )
    expect(values).toMatchObject({
      'paging.read': 20 * 1024,
      'paging.written': 1024,
      'paging.swap_in': 0,
      'paging.faults': 200,
      'paging.major_faults': 2,
      'paging.oom_kills': 0.1,
    })
    expect(values).not.toHaveProperty('paging.scanned_directly')
  })
})
