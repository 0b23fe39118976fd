import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeBlocks } from '../../../../../src/adapters/stores/telemetry/merge.ts'
import type { Block } from '../../../../../src/adapters/stores/telemetry/block.ts'
import { rollUp, rollUpAgain, summaryOf } from '../../../../../src/adapters/stores/telemetry/rollup.ts'

const block = (times: number[], columns: Record<number, number[]>): Block => ({
  timesMs: Float64Array.from(times),
  columns: Object.entries(columns).map(([key, values]) => ({
    key: Number(key),
    scale: 100,
    bits: 53,
    values: Float64Array.from(values),
  })),
})

const partOf = (rolled: Block, part: 'min' | 'mean' | 'max' | 'counts') =>
  Array.from(summaryOf(rolled, 3)?.[part] ?? [])

const rows = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 900_000 }),
    fc.oneof(fc.constant(NaN), fc.integer({ min: -999, max: 999 })),
  ),
  { minLength: 1, maxLength: 120 },
)

describe('a roll-up', () => {
  it('has the least, mean, greatest and number of what was measured, and no row where nothing was', () => {
    const rolled = rollUp(
      block([0, 20_000, 59_999, 60_000, 180_000, 190_000], { 7: [1, NaN, 5, NaN, -2, -4] }),
      60_000,
    )
    expect(Array.from(rolled.timesMs)).toEqual([0, 180_000])
    const summary = summaryOf(rolled, 7)
    expect(Array.from(summary?.min ?? [])).toEqual([1, -4])
    expect(Array.from(summary?.mean ?? [])).toEqual([3, -3])
    expect(Array.from(summary?.max ?? [])).toEqual([5, -2])
    expect(Array.from(summary?.counts ?? [])).toEqual([2, 2])
  })

  it('is NaN with a count of 0 for a series that was not measured while another was', () => {
    const summary = summaryOf(rollUp(block([0, 1], { 1: [1, 2], 2: [NaN, NaN] }), 60_000), 2)
    expect(Array.from(summary?.mean ?? [])).toEqual([NaN])
    expect(Array.from(summary?.counts ?? [])).toEqual([0])
  })

  it('comes out the same over minutes as straight from the samples', () => {
    fc.assert(
      fc.property(rows, (list) => {
        const raw = mergeBlocks([
          block(
            list.map(([time]) => time),
            { 3: list.map(([, value]) => value) },
          ),
        ])
        const straight = rollUp(raw, 300_000)
        const overMinutes = rollUpAgain([rollUp(raw, 60_000)], 300_000)
        expect(overMinutes.timesMs).toEqual(straight.timesMs)
        for (const part of ['min', 'max', 'counts'] as const) {
          expect(partOf(overMinutes, part)).toEqual(partOf(straight, part))
        }
        const means = partOf(straight, 'mean')
        partOf(overMinutes, 'mean').forEach((mean, i) => expect(mean).toBeCloseTo(means[i] ?? NaN, 9))
      }),
    )
  })

  it('adds up when its samples come in two parts', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 900_000 }), (list, cut) => {
        const raw = mergeBlocks([
          block(
            list.map(([time]) => time),
            { 3: list.map(([, value]) => value) },
          ),
        ])
        const part = (isIn: (time: number) => boolean) => {
          const kept = [...raw.timesMs.keys()].filter((row) => isIn(raw.timesMs[row] ?? 0))
          return block(
            kept.map((row) => raw.timesMs[row] ?? 0),
            { 3: kept.map((row) => raw.columns[0]?.values[row] ?? NaN) },
          )
        }
        const parts = [part((time) => time < cut), part((time) => time >= cut)].map((half) =>
          rollUp(half, 60_000),
        )
        const whole = rollUp(raw, 60_000)
        const added = rollUpAgain(parts, 60_000)
        expect(added.timesMs).toEqual(whole.timesMs)
        expect(partOf(added, 'counts')).toEqual(partOf(whole, 'counts'))
        expect(partOf(added, 'max')).toEqual(partOf(whole, 'max'))
      }),
    )
  })
})

describe('the merging of blocks', () => {
  it('keeps for each time and series the value written last, in order of time', () => {
    const op = fc.tuple(
      fc.integer({ min: 0, max: 30 }),
      fc.constantFrom(1, 2, 3),
      fc.integer({ min: 0, max: 9 }),
    )
    fc.assert(
      fc.property(fc.array(fc.array(op, { minLength: 1, maxLength: 10 }), { maxLength: 8 }), (writes) => {
        const expected = new Map<number, Map<number, number>>()
        const list = writes.map((write) => {
          const keys = [...new Set(write.map(([, key]) => key))]
          for (const [time, ofKey, value] of write) {
            const row = expected.get(time) ?? new Map<number, number>()
            expected.set(time, row)
            // A row of a block tells of all its columns: of those without a value, that there is none.
            for (const key of keys) row.set(key, key === ofKey ? value : NaN)
          }
          return block(
            write.map(([time]) => time),
            Object.fromEntries(
              keys.map((key) => [key, write.map(([, of, value]) => (of === key ? value : NaN))]),
            ),
          )
        })
        const merged = mergeBlocks(list)
        const times = [...expected.keys()].sort((a, b) => a - b)
        expect(Array.from(merged.timesMs)).toEqual(times)
        for (const { key, values } of merged.columns) {
          expect(Array.from(values)).toEqual(times.map((time) => expected.get(time)?.get(key) ?? NaN))
        }
      }),
      { numRuns: 500 },
    )
  })
})
