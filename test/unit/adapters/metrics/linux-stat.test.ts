import { describe, expect, it } from 'vitest'
import { StatSection } from '../../../../src/adapters/metrics/linux/stat.ts'
import { SectionRounds } from './section-rounds.ts'

const rounds = () => new SectionRounds((slots) => new StatSection(slots))

describe('/proc/stat', () => {
  it('has no shares at the first reading, and those of the time between two afterwards', () => {
    const stat = rounds()
    const first = stat.round('cpu  100 10 50 800 20 1 2 3 40 0\n')
    expect(Object.values(first).every(Number.isNaN)).toBe(true)
    //                          +20 +5 +10 +50 +5 +1 +2 +7 = 100
    const second = stat.round('cpu  120 15 60 850 25 2 4 10 44 0\n')
    expect(second['cpu.user']).toBeCloseTo(0.2)
    expect(second['cpu.nice']).toBeCloseTo(0.05)
    expect(second['cpu.system']).toBeCloseTo(0.1)
    expect(second['cpu.iowait']).toBeCloseTo(0.05)
    expect(second['cpu.irq']).toBeCloseTo(0.01)
    expect(second['cpu.softirq']).toBeCloseTo(0.02)
    expect(second['cpu.steal']).toBeCloseTo(0.07)
    expect(second['cpu.guest']).toBeCloseTo(0.04)
    expect(second['cpu.busy']).toBeCloseTo(0.45)
  })

  it('counts interrupts, switches and forks a second over the time that really passed', () => {
    const stat = rounds()
    stat.round(
      'intr 1000 0 0 7\nctxt 5000\nbtime 1700000000\nprocesses 10\nprocs_running 3\nprocs_blocked 1\n',
    )
    const values = stat.round(
      'intr 1500 0 9\nctxt 5100\nprocesses 15\nprocs_running 2\nprocs_blocked 0\n',
      2.5,
    )
    expect(values).toMatchObject({
      'system.interrupts': 200,
      'system.context_switches': 40,
      'system.forks': 2,
      'processes.running': 2,
      'processes.blocked': 0,
    })
  })

  it('tells each of 128 cores apart', () => {
    const stat = rounds()
    const text = (ticks: (core: number) => number) =>
      Array.from(
        { length: 128 },
        (_, core) => `cpu${core} ${ticks(core)} 0 0 ${200 - ticks(core)} 0 0 0 0 0 0\n`,
      ).join('')
    stat.round(text(() => 0).replaceAll(' 200 ', ' 100 '))
    const values = stat.round(text((core) => core % 101))
    expect(values['cpu.core.busy{0}']).toBeCloseTo(0)
    expect(values['cpu.core.busy{100}']).toBeCloseTo(1)
    expect(values['cpu.core.busy{127}']).toBeCloseTo(0.26)
  })

  it('says a core is unknown while it is offline, and knows it again when it returns', () => {
    const stat = rounds()
    stat.round('cpu0 10 0 0 10 0 0 0 0\ncpu1 10 0 0 10 0 0 0 0\n')
    expect(stat.round('cpu0 20 0 0 20 0 0 0 0\n')['cpu.core.busy{1}']).toBeNaN()
    expect(stat.round('cpu0 30 0 0 30 0 0 0 0\ncpu1 20 0 0 40 0 0 0 0\n')['cpu.core.busy{1}']).toBeCloseTo(
      0.25,
    )
    expect(stat.slots.series.length).toBe(2)
  })

  it('reports a reset when a counter falls, but not when the kernel corrects idle and iowait a little', () => {
    const stat = rounds()
    stat.round('cpu  1000 0 1000 9000 500 0 0 0 0 0\n')
    const corrected = stat.round('cpu  1050 0 1050 9000 490 0 0 0 0 0\n')
    expect(corrected['cpu.busy']).toBe(1)
    expect(corrected['cpu.iowait']).toBe(0)
    expect(stat.resets).toEqual([])
    const reset = stat.round('cpu  10 0 10 90 5 0 0 0 0 0\n')
    expect(reset['cpu.busy']).toBeNaN()
    expect(stat.resets).toContain('cpu.busy')
    expect(stat.round('cpu  20 0 10 180 5 0 0 0 0 0\n')['cpu.busy']).toBeCloseTo(0.1)
  })

  it('takes the four columns of an old kernel or a sandbox for what they are', () => {
    const stat = rounds()
    stat.round('cpu 10 0 10 80\n')
    const values = stat.round('cpu 20 0 20 160\n')
    expect(values['cpu.busy']).toBeCloseTo(0.2)
    expect(Object.keys(values).toSorted()).toEqual(['cpu.busy', 'cpu.nice', 'cpu.system', 'cpu.user'])
  })

  it('has no share while no tick has passed', () => {
    const stat = rounds()
    stat.round('cpu 10 0 10 80 0 0 0 0 0 0\n')
    expect(stat.round('cpu 10 0 10 80 0 0 0 0 0 0\n')['cpu.busy']).toBeNaN()
  })
})
