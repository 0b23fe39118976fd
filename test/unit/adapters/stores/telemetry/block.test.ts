import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../../../../src/adapters/stores/telemetry/bytes.ts'
import { type Block, decodeBlock, encodeBlock } from '../../../../../src/adapters/stores/telemetry/block.ts'
import {
  allBits,
  decodeColumn,
  encodeColumn,
  type Precision,
} from '../../../../../src/adapters/stores/telemetry/column.ts'

const roundTrip = (values: Float64Array, precision: Precision): Float64Array => {
  const out = new ByteWriter()
  encodeColumn(values, precision, out)
  const reader = new ByteReader(out.written())
  const back = decodeColumn(reader, values.length, precision)
  expect(reader.offset, 'bytes left over').toBe(out.length)
  return back
}

/** The nearest to `value` that the precision promises. */
const allowedError = (value: number, { scale, bits }: Precision): number =>
  Math.max(0.5 / scale, Math.abs(value) / 2 ** bits) + Math.abs(value) * 4 * Number.EPSILON

const precisions = fc.record({
  scale: fc.constantFrom(1, 10, 100, 128, 65_536),
  bits: fc.constantFrom(1, 2, 10, 13, 24, allBits),
})

/** Columns as hosts make them and as no host should: the codec must hold for both. */
const columns = fc.oneof(
  fc.array(fc.double(), { maxLength: 200 }),
  fc.array(fc.oneof(fc.constant(NaN), fc.integer()), { maxLength: 200 }),
  fc.array(
    fc.constantFrom(0, -0, NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 49, -(2 ** 53)),
  ),
  fc.tuple(fc.double(), fc.nat(300)).map(([value, count]) => new Array<number>(count).fill(value)),
  fc.tuple(fc.nat(2 ** 40), fc.array(fc.nat(100_000), { maxLength: 300 })).map(([start, steps]) =>
    steps.map(
      (
        (sum) => (step: number) =>
          (sum += step)
      )(start),
    ),
  ),
  fc.array(
    fc.double({ min: 0, max: 1, noNaN: true }).map((ratio) => Math.round(ratio * 200) / 200),
    { minLength: 1, maxLength: 600 },
  ),
)

describe('a column', () => {
  it('brings every value back within its precision, and NaN as NaN', () => {
    fc.assert(
      fc.property(columns, precisions, (list, precision) => {
        const values = Float64Array.from(list)
        const back = roundTrip(values, precision)
        expect(back.length).toBe(values.length)
        for (const [i, value] of values.entries()) {
          const got = back[i] ?? 0
          if (!Number.isFinite(value)) expect(got).toBe(value)
          else expect(Math.abs(got - value)).toBeLessThanOrEqual(allowedError(value, precision))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('gives the same values again when it is written again, so that rewriting never wears data out', () => {
    fc.assert(
      fc.property(columns, precisions, (list, precision) => {
        const once = roundTrip(Float64Array.from(list), precision)
        expect(Array.from(roundTrip(once, precision))).toEqual(Array.from(once))
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps the order of values, however few bits they are kept to', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e12, max: 1e12, noNaN: true })),
        precisions,
        (list, precision) => {
          const back = roundTrip(Float64Array.from(list).sort(), precision)
          for (let i = 1; i < back.length; i++) expect(back[i]).toBeGreaterThanOrEqual(back[i - 1] ?? 0)
        },
      ),
    )
  })

  it('keeps whole numbers up to 2^49 exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 49), max: 2 ** 49 })), (list) => {
        const back = roundTrip(Float64Array.from(list), { scale: 1, bits: allBits })
        expect(Array.from(back, (value) => value + 0)).toEqual(list)
      }),
    )
  })

  it('takes a constant of any length in a dozen bytes', () => {
    for (const value of [0, 0.25, 16e9, 1e300, Infinity]) {
      const out = new ByteWriter()
      encodeColumn(new Float64Array(600).fill(value), { scale: 100, bits: allBits }, out)
      expect(out.length).toBeLessThanOrEqual(12)
    }
  })

  it('stays within its precision when kept columns of one scale differ in size by fifteen orders', () => {
    const values = Float64Array.of(1e-9, 0.004, 12, 3e6, 5e11)
    const back = roundTrip(values, { scale: 100, bits: allBits })
    expect(Array.from(back)).toEqual([0, 0, 12, 3e6, 5e11])
  })
})

const blocks: fc.Arbitrary<Block> = fc.nat(80).chain((count) =>
  fc.record({
    timesMs: fc
      .array(fc.integer({ min: -1e12, max: 8e15 }), { minLength: count, maxLength: count })
      .map((times) => Float64Array.from(times)),
    columns: fc
      .uniqueArray(fc.nat(2 ** 40), { maxLength: 14 })
      .chain((keys) =>
        fc.tuple(
          ...keys.map((key) =>
            fc
              .tuple(fc.array(fc.double(), { minLength: count, maxLength: count }), precisions)
              .map(([values, precision]) => ({ key, ...precision, values: Float64Array.from(values) })),
          ),
        ),
      ),
  }),
)

describe('a block', () => {
  it('brings back its times exactly and every column under its key', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const back = decodeBlock(encodeBlock(block))
        expect(Array.from(back.timesMs, (time) => time + 0)).toEqual(
          Array.from(block.timesMs, (time) => time + 0),
        )
        expect(back.columns.map(({ key }) => key)).toEqual(
          block.columns.map(({ key }) => key).sort((a, b) => a - b),
        )
        for (const column of block.columns) {
          const twin = back.columns.find(({ key }) => key === column.key)
          expect(twin).toMatchObject({ scale: column.scale, bits: column.bits })
          expect(twin?.values).toEqual(roundTrip(column.values, column))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('reads one column as it reads all of them', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), (block, pick) => {
        fc.pre(block.columns.length > 0)
        const key = block.columns[pick % block.columns.length]?.key ?? 0
        const body = encodeBlock(block)
        const whole = decodeBlock(body).columns.filter((column) => column.key === key)
        expect(decodeBlock(body, new Set([key])).columns).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  it('refuses a format it does not know', () => {
    const body = encodeBlock({ timesMs: Float64Array.of(1), columns: [] })
    body[0] = 2
    expect(() => decodeBlock(body)).toThrow(RangeError)
  })

  it('throws, and never hangs or invents rows, on bytes that are no block', () => {
    fc.assert(
      fc.property(
        blocks,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (block, hits) => {
          const body = encodeBlock(block)
          for (const [at, byte] of hits) body[at % body.length] = byte
          try {
            const back = decodeBlock(body)
            for (const { values } of back.columns) expect(values.length).toBe(back.timesMs.length)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(Error)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})
