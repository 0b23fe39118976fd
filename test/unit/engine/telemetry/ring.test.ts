import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SampleRing } from '../../../../src/engine/telemetry/ring.ts'

const value = fc.oneof(fc.double(), fc.constant(NaN))
/** Rows that only ever get wider, as a catalogue grows, with a shorter one now and then. */
const rows = fc.array(fc.tuple(fc.integer({ min: -5, max: 50 }), fc.array(value, { maxLength: 6 })), {
  maxLength: 60,
})

/** The same, kept as plainly as possible. */
function naive(all: [number, number[]][], capacity: number) {
  let atMs = 0
  return all
    .map(([stepMs, values], i) => ({ atMs: (atMs += stepMs), elapsedMs: i * 10, values }))
    .slice(-capacity)
}

describe('the ring', () => {
  it('holds the newest rows as a plain array would, whatever wraps and grows', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (all, capacity) => {
        const ring = new SampleRing(capacity)
        const expected = naive(all, capacity)
        let atMs = 0
        all.forEach(([stepMs, values], i) => {
          atMs += stepMs
          ring.append(atMs, i * 10, Float64Array.from(values))
        })
        expect(ring.length).toBe(expected.length)
        expected.reverse().forEach((row, back) => {
          expect(ring.timeMs(back)).toBe(row.atMs)
          expect(ring.elapsedMs(back)).toBe(row.elapsedMs)
          for (let slot = 0; slot < 8; slot++) expect(ring.value(slot, back)).toBe(row.values[slot] ?? NaN)
        })
        expect(ring.value(0, expected.length)).toBeNaN()
        expect(ring.timeMs(-1)).toBeNaN()
      }),
    )
  })

  it('gives the rows of a stretch of wall time in the order they came', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), fc.nat(400), fc.nat(400), (all, capacity, a, b) => {
        const ring = new SampleRing(capacity)
        let atMs = 0
        all.forEach(([stepMs, values], i) => {
          atMs += stepMs
          ring.append(atMs, i, Float64Array.from(values))
        })
        const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)]
        const expected = naive(all, capacity).filter((row) => row.atMs >= fromMs && row.atMs <= toMs)
        const window = ring.window(fromMs, toMs, [2, 0])
        expect([...window.timesMs]).toEqual(expected.map((row) => row.atMs))
        expect(window.columns.map((column) => [...column])).toEqual([
          expected.map((row) => row.values[2] ?? NaN),
          expected.map((row) => row.values[0] ?? NaN),
        ])
      }),
    )
  })

  it('counts the newest rows within a duration of its own time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 40 }), fc.nat(30), (steps, duration) => {
        const ring = new SampleRing(16)
        let elapsedMs = 0
        const elapsed = steps.map((step) => (elapsedMs += step))
        for (const each of elapsed) ring.append(0, each, Float64Array.of(1))
        const expected = elapsed.slice(-16).filter((each) => each > elapsedMs - duration)
        expect(ring.countSince(duration)).toBe(expected.length)
      }),
    )
  })

  it('copies what it is given: a source may reuse its array', () => {
    const ring = new SampleRing(2)
    const values = Float64Array.of(1)
    ring.append(0, 0, values)
    values[0] = 2
    expect(ring.value(0, 0)).toBe(1)
  })

  it.each([0, -1, 1.5, NaN])('refuses a capacity of %s', (capacity) => {
    expect(() => new SampleRing(capacity)).toThrow(RangeError)
  })
})
