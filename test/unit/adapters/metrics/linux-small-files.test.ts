import { describe, expect, it } from 'vitest'
import {
  LoadSection,
  NumbersSection,
  PressureSection,
} from '../../../../src/adapters/metrics/linux/small-files.ts'
import { SectionRounds } from './section-rounds.ts'

describe('/proc/loadavg', () => {
  it('gives the three loads and the number of threads', () => {
    const load = new SectionRounds((slots) => new LoadSection(slots))
    expect(load.round('0.32 0.22 112.05 1/89 8165\n')).toEqual({
      'load.1m': 0.32,
      'load.5m': 0.22,
      'load.15m': 112.05,
      'threads.count': 89,
    })
  })
})

describe('a file of numbers', () => {
  it('skips what has no name and what is only a way to say "no limit"', () => {
    const files = new SectionRounds(
      (slots) => new NumbersSection(slots, ['files.open', undefined, 'files.limit']),
    )
    expect(files.round('485\t0\t9223372036854775807\n')).toEqual({ 'files.open': 485 })
    expect(files.round('485\t0\t2466177\n')).toMatchObject({ 'files.limit': 2466177 })
  })
})

describe('/proc/pressure', () => {
  const pressure = () =>
    new SectionRounds(
      (slots) => new PressureSection(slots, { some: 'pressure.io.some', full: 'pressure.io.full' }),
    )
  const text = (some: number, full: number) =>
    `some avg10=1.60 avg60=0.88 avg300=1.36 total=${some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${full}\n`

  it('is the share of the time that was spent waiting, at most all of it', () => {
    const io = pressure()
    io.round(text(1_000_000, 0))
    expect(io.round(text(1_250_000, 125_000))).toEqual({
      'pressure.io.some': 0.25,
      'pressure.io.full': 0.125,
    })
    expect(io.round(text(9_000_000, 125_000))['pressure.io.some']).toBe(1)
  })

  it('has no series where the kernel gives none, and unknown ones when it stops', () => {
    expect(pressure().round('')).toEqual({})
    expect(pressure().round('some avg10=0.00\n')).toEqual({})
    const io = pressure()
    io.round(text(1, 1))
    expect(io.round('')['pressure.io.some']).toBeNaN()
  })
})
